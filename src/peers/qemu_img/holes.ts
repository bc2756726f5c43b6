import { FileSource, isSparse } from "../../bytes/mod.ts";
import { imagesOf, type OpenedImage, wholeFile } from "../../image/mod.ts";
import { readMap } from "../answers.ts";
import { ToolError } from "../tool/process.ts";
import { Tool } from "../tool/tool.ts";
import { toolPath } from "./names.ts";

/** Why the holes of a file are estimated though qemu-img is installed. */
export interface HolesEstimated {
  readonly message: string;
  /** Set where qemu-img does not work, whatever the file. */
  readonly cause?: ToolError;
}

const qemuImg = new Tool("qemu-img", {});

/**
 * Learns the holes in the files of an image from qemu-img, which asks the kernel (SEEK_HOLE); Deno
 * cannot. Where qemu-img cannot be used, the holes are estimated.
 *
 * @returns why, unless qemu-img is not installed
 */
export async function learnHoles(image: OpenedImage): Promise<HolesEstimated | undefined> {
  try {
    for (const source of sparseFiles(image)) {
      await qemuImg.version();
      const map = readMap(
        await qemuImg.run(["map", "-f", "raw", "--output=json", "--", toolPath(source.path)]),
      );
      if (map.outcome !== "accepted") return { message: `${map.outcome}: ${map.message}` };
      source.holes = map.value.filter((entry) => entry.zero)
        .map(({ start, length }) => ({ start, length }));
    }
    return undefined;
  } catch (cause) {
    if (!(cause instanceof ToolError)) throw cause;
    return cause.trouble === "missing" ? undefined : { message: cause.message, cause };
  }
}

/** The files of a chain whose holes are not known. */
function* sparseFiles(image: OpenedImage): Generator<FileSource> {
  for (const { source, layer } of imagesOf(image)) {
    for (const file of [wholeFile(source).file, layer?.dataFileSource]) {
      if (file instanceof FileSource && isSparse(file) && file.holes === undefined) yield file;
    }
  }
}
