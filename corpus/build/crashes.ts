import { LuksdePeer, PeerError, runTool, withScratch } from "../../src/peers/mod.ts";
import {
  type ImageRecord,
  recordedTool,
  type ToolCrash,
  unpackRecord,
} from "../../src/recorded/mod.ts";

/** Adds recorded crashes of commands that `validate` does not use. */
export async function withCrashes(
  record: ImageRecord,
  { images, commands }: { images: string; commands: readonly (readonly string[])[] },
): Promise<ImageRecord> {
  if (commands.length === 0) return record;
  const { version } = await new LuksdePeer().describe();
  const crashes: ToolCrash[] = [];
  for (const argv of commands) {
    const answer = await withScratch(async (directory) => {
      unpackRecord(images, record, directory);
      return recordedTool(await runTool(argv, { directory }));
    });
    if ("crashed" in answer) crashes.push({ argv, version, ...answer });
    if ("hung" in answer) throw new PeerError(`${argv.join(" ")} hangs`);
  }
  return crashes.length === 0 ? record : { ...record, crashes };
}
