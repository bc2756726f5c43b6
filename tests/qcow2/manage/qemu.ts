/** Images in files that diskproof and qemu-img change in turns. */
import { assertEquals } from "@std/assert";
import type { ImageEditor } from "../../../src/format/mod.ts";
import { editImage } from "../../../src/image/edit/mod.ts";
import { runTool } from "../../../src/peers/mod.ts";

/** The time of snapshots. */
const NOW = 1_700_000_000_000_000_000n;

/** Runs a tool. Returns what it prints. */
export async function tool(...args: string[]): Promise<string> {
  const { end, stdout, stderr } = await runTool(args);
  assertEquals(end, { kind: "exited", code: 0 }, `${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
}

/** Runs a tool that must fail. Returns its exit status. */
export async function failing(...args: string[]): Promise<number> {
  const { end } = await runTool(args);
  return end.kind === "exited" ? end.code : -1;
}

/** Changes an image with diskproof. */
export function edit<T>(path: string, work: (editor: ImageEditor) => T): T {
  const image = editImage(path, { now: () => NOW });
  try {
    if (image.editor === undefined) {
      throw new Error(JSON.stringify(image.findings.list().map(({ message }) => message)));
    }
    const result = work(image.editor);
    image.finish();
    return result;
  } finally {
    image.close();
  }
}

/** Asserts that qemu-img finds neither errors nor leaks. */
export async function assertClean(path: string): Promise<void> {
  const { end, stdout, stderr } = await runTool(["qemu-img", "check", path]);
  assertEquals(end, { kind: "exited", code: 0 }, stdout + stderr);
}

/** Asserts that guest ranges have a byte everywhere, as qemu-io reads them. */
export async function assertReads(
  path: string,
  ...ranges: readonly (readonly [byte: number, offset: number, length: number])[]
): Promise<void> {
  const commands = ranges.flatMap((
    [byte, offset, length],
  ) => ["-c", `read -P ${byte} ${offset} ${length}`]);
  const { stdout } = await runTool(["qemu-io", "-r", ...commands, path]);
  assertEquals(/pattern verification failed/i.test(stdout), false, stdout);
  assertEquals(stdout.match(/^read \d+/gm)?.length, ranges.length, stdout);
}
