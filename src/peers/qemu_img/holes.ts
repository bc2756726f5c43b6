import { FileSource, isSparse } from "../../bytes/mod.ts";
import type { OpenedImage } from "../../image/mod.ts";
import type { MapEntry } from "../../format/mod.ts";
import { toolPath } from "../names.ts";
import { runTool } from "../process.ts";

/**
 * Has the holes in the files of an image told by qemu-img, which asks the kernel (SEEK_HOLE); Deno
 * cannot. Where qemu-img cannot be run, the files stay as they are and holes are guessed.
 */
export async function learnHoles(image: OpenedImage): Promise<void> {
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    for (const source of [at.source, at.layer?.dataFileSource]) {
      if (source instanceof FileSource && isSparse(source) && source.holes === undefined) {
        await learn(source);
      }
    }
  }
}

async function learn(source: FileSource): Promise<void> {
  try {
    const command = ["qemu-img", "map", "-f", "raw", "--output=json", "--", toolPath(source.path)];
    const { end, stdout } = await runTool(command);
    if (end.kind !== "exited" || end.code !== 0) return;
    const entries = JSON.parse(stdout) as MapEntry[];
    source.holes = entries.filter((entry) => entry.zero)
      .map(({ start, length }) => ({ start, length }));
  } catch {
    // No qemu-img, or no leave to run it.
  }
}
