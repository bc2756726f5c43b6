/** What cannot be done to a volume, and why. */
export class Luks1Error extends Error {
  /** An error with this message. */
  constructor(message: string) {
    super(message);
    this.name = "Luks1Error";
  }
}
