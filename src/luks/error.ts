/** What cannot be done to a volume, and why. */
export class LuksError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LuksError";
  }
}
