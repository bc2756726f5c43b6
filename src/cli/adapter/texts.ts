import type { Json } from "../../format/mod.ts";

/** The value of a text of JSON; nothing for any other text. */
export function parsed(text: Uint8Array | string): Json | undefined {
  try {
    return JSON.parse(typeof text === "string" ? text : new TextDecoder().decode(text));
  } catch {
    return undefined;
  }
}

const SHOWN = 200;

/** The start of what an adapter printed. */
export function textOfBytes(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, SHOWN)).trimEnd();
  return bytes.length > SHOWN ? `${text}…` : text;
}
