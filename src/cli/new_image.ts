import type { CreatedPart, CreatedParts, Format, ImageRequest } from "../format/mod.ts";
import { Luks1Error } from "../luks1/mod.ts";
import { UsageError } from "./verb.ts";
import { type NewFile, Pauses, writeFiles } from "./write_files.ts";

/** A new image. */
export interface NewImage {
  readonly path: string;
  readonly format: Format;
  readonly request: ImageRequest;
  /** The file for a detached header. */
  readonly header?: string;
  /** Names of the files that the content comes from. */
  readonly reads: readonly string[];
  /** Replace existing files. */
  readonly force: boolean;
  /** Make the files readable only for their owner. */
  readonly secret: boolean;
}

/**
 * Writes a new image, completely or not at all.
 *
 * @throws {UsageError} when the options conflict or a file cannot be written
 */
export async function writeImage(
  { path, format, request, header, reads, force, secret }: NewImage,
): Promise<void> {
  const { create: creator, name } = format;
  if (creator === undefined) throw new UsageError(`the format ${name} cannot be created`);
  if (request.compressed && creator.compresses !== true) {
    throw new UsageError(`the format ${name} does not support compression`);
  }
  const parts = usageOf(path, () => creator.make(creator.plan(request)));
  const dataFile = request.options.text("data_file");
  const files = new Map<CreatedPart["file"], string>();
  if (header !== undefined) files.set("header", header);
  if (dataFile !== undefined) files.set("data", dataFile);
  files.set("image", path);
  const target = { paths: [...files.values()], force, reads, secret };
  await writeFiles(target, (written) => {
    const names = [...files.keys()];
    return writeParts(path, parts, (file) => written[names.indexOf(file)]);
  });
}

/** @throws {UsageError} in place of an error about conflicting options */
function usageOf<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof Luks1Error)) throw error;
    const reason = error.message.replace(/^Cannot create (an image|a volume): /, "")
      .replace(/^Cannot/, "cannot");
    throw new UsageError(`Cannot create ${path}: ${reason}`);
  }
}

async function writeParts(
  path: string,
  parts: CreatedParts,
  fileOf: (file: CreatedPart["file"]) => NewFile | undefined,
): Promise<void> {
  const pauses = new Pauses();
  for (;;) {
    const { done, value } = usageOf(path, () => parts.next());
    if (done) {
      for (const [file, size] of Object.entries(value)) {
        fileOf(file as CreatedPart["file"])?.setLength(size);
      }
      return;
    }
    if (value.bytes.length > 0) fileOf(value.file)?.write(value);
    if (pauses.due) await pauses.pause();
  }
}
