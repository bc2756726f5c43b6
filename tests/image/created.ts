/** Images that diskproof creates, as files, and the answers of public tools about them. */

import { assertEquals } from "@std/assert";
import { MemorySource, type Segment, SegmentSource } from "../../src/bytes/mod.ts";
import { type CreatedPart, type CreatedSizes, patternBytes } from "../../src/format/mod.ts";
import { contentOf, createImage, type Creation } from "../../src/image/create/mod.ts";
import { run, succeed } from "../luks1/live.ts";

/** Names of the files of an image. */
export type Names = Readonly<Partial<Record<CreatedPart["file"], string>> & { image: string }>;

/** All parts of an image. */
export function madeParts(
  creation: Creation,
): { parts: readonly CreatedPart[]; sizes: CreatedSizes } {
  const parts: CreatedPart[] = [];
  const making = createImage(creation);
  for (;;) {
    const { done, value } = making.next();
    if (done) return { parts, sizes: value };
    parts.push({ ...value, bytes: value.bytes.slice() });
  }
}

/** The image file in memory. */
export function madeSource(creation: Creation): SegmentSource {
  const { parts, sizes } = madeParts(creation);
  const segments: readonly Segment[] = parts.filter(({ file, bytes }) =>
    file === "image" && bytes.length > 0
  );
  return new SegmentSource(segments, sizes.image);
}

/** Writes an image to its files. */
export function writeMade(names: Names, creation: Creation): void {
  const { parts, sizes } = madeParts(creation);
  for (const [file, size] of Object.entries(sizes)) {
    using target = Deno.openSync(names[file as CreatedPart["file"]] ?? "", {
      write: true,
      create: true,
      truncate: true,
    });
    for (const part of parts.filter((part) => part.file === file)) {
      target.seekSync(part.offset, Deno.SeekMode.Start);
      for (let at = 0; at < part.bytes.length;) at += target.writeSync(part.bytes.subarray(at));
    }
    target.truncateSync(size);
  }
}

const STRETCH = 40_000;

/** Content of noise, of text and of zeros, in stretches that no cluster starts with. */
export function mixedContent(size: number): Uint8Array {
  const content = new Uint8Array(size);
  const kinds = ["noise", "zero", "text", "text", "zero", "zero", "fill"] as const;
  for (let at = 0, i = 0; at < size; at += STRETCH, i++) {
    const kind = kinds[i % kinds.length] ?? "zero";
    if (kind === "zero") continue;
    const length = Math.min(STRETCH, size - at);
    content.set(patternBytes({ kind, seed: i + 1 }, length), at);
  }
  return content;
}

/** Bytes as the content of a disk of their size. All blocks are in the same memory, one by one. */
export function contentFrom(bytes: Uint8Array): ReturnType<typeof contentOf> {
  const content = contentOf(new MemorySource(bytes), bytes.length);
  return function* (unit, most = unit) {
    const memory = new Uint8Array(Math.max(unit, most));
    for (const { offset, bytes } of content(unit, most)) {
      memory.set(bytes ?? []);
      yield { offset, bytes: bytes && memory.subarray(0, bytes.length) };
      memory.fill(0xaa);
    }
  };
}

/** How qemu-img opens an image with a passphrase in a file. */
export function imageOptions(
  options: string,
  passphrase: string | undefined,
): string[] {
  const secret = passphrase === undefined ? [] : ["--object", `secret,id=key,file=${passphrase}`];
  return [...secret, "--image-opts", options];
}

/** Content as qemu-img reads it. */
export async function qemuContent(
  directory: string,
  options: readonly string[],
): Promise<Uint8Array> {
  const raw = `${directory}/content.raw`;
  await succeed(["qemu-img", "convert", ...options, "-O", "raw", raw]);
  return Deno.readFileSync(raw);
}

/** Holds the check of qemu-img to finding nothing. */
export async function mustCheckClean(options: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(["qemu-img", "check", ...options]);
  assertEquals([code, stderr], [0, ""], new TextDecoder().decode(stdout));
}
