import { FileSource, isSparse } from "../../bytes/mod.ts";
import type { OpenedImage } from "../../image/mod.ts";
import { readMap } from "../answers.ts";
import { runTool, ToolError } from "../tool/process.ts";
import { toolVersion } from "../tool/state.ts";
import { toolPath } from "./names.ts";

/** Why the holes of a file are guessed though qemu-img is installed. */
export interface HolesGuessed {
  readonly message: string;
  /** Set where qemu-img cannot be used for any file. */
  readonly cause?: ToolError;
}

/**
 * Learns the holes in the files of an image from qemu-img, which asks the kernel (SEEK_HOLE); Deno
 * cannot. Where qemu-img cannot be used, the holes are guessed.
 *
 * @returns why, unless qemu-img is not installed
 */
export async function learnHoles(image: OpenedImage): Promise<HolesGuessed | undefined> {
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    for (const source of [at.source, at.layer?.dataFileSource]) {
      if (!(source instanceof FileSource) || !isSparse(source) || source.holes !== undefined) {
        continue;
      }
      try {
        const message = await learn(source);
        if (message !== undefined) return { message };
      } catch (cause) {
        if (!(cause instanceof ToolError)) throw cause;
        return cause.trouble === "missing" ? undefined : { message: cause.message, cause };
      }
    }
  }
  return undefined;
}

/**
 * @returns why this file's holes are not known
 * @throws {ToolError} when qemu-img does not work
 */
async function learn(source: FileSource): Promise<string | undefined> {
  const command = ["qemu-img", "map", "-f", "raw", "--output=json", "--", toolPath(source.path)];
  const map = readMap(await runTool(command));
  if (map.outcome !== "accepted") {
    await toolVersion("qemu-img");
    return `qemu-img map -f raw ${map.outcome}: ${map.message}`;
  }
  source.holes = map.value.filter((entry) => entry.zero)
    .map(({ start, length }) => ({ start, length }));
  return undefined;
}
