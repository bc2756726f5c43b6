import { utf8 } from "../../src/bytes/mod.ts";
import { createHash } from "node:crypto";
import { KEYS } from "../recipes/mod.ts";

/** Guest content and passphrases for golden images: the files that recipes use. */
export function payload(): { readonly [name: string]: Uint8Array } {
  const noise = hashStream(64 * 1024);
  const content = { noise, prose: words(noise, 64 * 1024), verse: words(noise, 3 * 1024) };
  const encoder = new TextEncoder();
  const keys = Object.entries(KEYS).map(([name, text]) => [name, encoder.encode(text)] as const);
  return { ...content, ...Object.fromEntries(keys) };
}

/** Bytes that do not compress: SHA-256 of one counter after the other. */
function hashStream(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 32) {
    bytes.set(createHash("sha256").update(`diskproof ${at / 32}`).digest(), at);
  }
  return bytes;
}

/** Text that compresses like prose: the bytes of `choice` select the words. */
function words(choice: Uint8Array, length: number): Uint8Array {
  const known =
    "cluster table sector offset snapshot image backing header entry block refcount zero";
  const list = known.split(" ");
  let text = "";
  for (let at = 0; text.length < length; at++) {
    const byte = choice[at % choice.length] as number;
    const word = list[byte % list.length] as string;
    text += `${word.slice(byte % 3)}${(byte >> 4).toString(36)}${byte % 11 === 0 ? "\n" : " "}`;
  }
  return utf8(text).subarray(0, length);
}
