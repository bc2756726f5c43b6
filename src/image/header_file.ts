import { FileSource } from "../bytes/mod.ts";

/** A file with a detached header that cannot be read. */
export class HeaderError extends Error {}

/**
 * The file with a detached header.
 *
 * @throws {HeaderError} when it cannot be read
 */
export function headerSource(path: string): FileSource {
  try {
    return new FileSource(path, { devices: true });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    throw Object.assign(new HeaderError(message, { cause: error }), { code });
  }
}
