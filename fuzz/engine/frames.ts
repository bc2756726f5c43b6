import { Buffer } from "node:buffer";
import { deserialize, serialize } from "node:v8";

/** Bytes of the length in front of each message. */
const LENGTH_BYTES = 4;

/** Encodes a message: its length, and its structured clone. */
export function encodeFrame(message: unknown): Uint8Array {
  const body = serialize(message);
  const frame = Buffer.alloc(LENGTH_BYTES + body.length);
  frame.writeUInt32LE(body.length);
  frame.set(body, LENGTH_BYTES);
  return frame;
}

/** Decodes the messages of a stream. A message that is cut off at the end is left out. */
export async function* decodeFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  let wanted = LENGTH_BYTES;
  let body = false;
  for await (const chunk of stream) {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const bytes = Buffer.concat(chunks);
      const part = bytes.subarray(0, wanted);
      chunks = [bytes.subarray(wanted)];
      held -= wanted;
      if (body) yield deserialize(part);
      wanted = body ? LENGTH_BYTES : part.readUInt32LE();
      body = !body;
    }
  }
}
