/** An operation on a volume that is not possible, with the reason. */
export class Luks1Error extends Error {
  /** An error with this message. */
  constructor(message: string) {
    super(message);
    this.name = "Luks1Error";
  }
}
