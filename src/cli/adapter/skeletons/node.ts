import type { Skeleton } from "./skeleton.ts";

const ADAPTER = String
  .raw`// An adapter for diskproof: a request per line on standard input, an answer per line on standard
// output. docs/adapter.md of diskproof describes the protocol.

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

/** The image is invalid. */
class Rejected extends Error {}

/** The implementation does not support what the image needs. */
class Unsupported extends Error {}

// Open request.image, a full path. Names in an image are relative to the folder of that image.
const operations = {
  hello: () => ({
    protocol: 1,
    name: "my implementation",
    version: "0.1",
    language: "JavaScript",
    // List here what the implementation reads: raw, qcow, qcow2, luks, luks2.
    formats: ["qcow2"],
    // List here what this adapter answers: probe, info, map, check, digest, unlock.
    operations: ["info", "digest"],
    // features: ["qcow2.v2", "qcow2.v3", "backing", "compressed"],
    // takes: ["passphrases", "header"],
  }),
  info: (request) => {
    // return { format: "qcow2", "virtual-size": String(size) };
    throw new Unsupported("info is not filled in");
  },
  digest: (request) => {
    // return digestOf(read, 0n, size);
    throw new Unsupported("digest is not filled in");
  },
  "digest-range": (request) => {
    // Offsets and lengths are decimal strings.
    // return digestOf(read, BigInt(request.offset), BigInt(request.length));
    throw new Unsupported("digest-range is not filled in");
  },
};

/** The digest of a range. read(offset, length) returns bytes of the guest content. */
async function digestOf(read, offset, length) {
  const sha256 = createHash("sha256");
  const piece = 1n << 20n;
  for (let done = 0n; done < length; done += piece) {
    const left = length - done;
    sha256.update(await read(offset + done, Number(left < piece ? left : piece)));
  }
  return { sha256: sha256.digest("hex"), length: String(length) };
}

async function answer(request) {
  const operation = Object.hasOwn(operations, request.operation) && operations[request.operation];
  if (!operation) return { unsupported: request.operation };
  try {
    return { ok: await operation(request) };
  } catch (error) {
    if (error instanceof Rejected) return { rejected: error.message };
    if (error instanceof Unsupported) return { unsupported: error.message };
    // Anything else is a bug of the implementation.
    return { crashed: error.stack };
  }
}

// Keep standard output for answers: print messages with console.error.
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  process.stdout.write(JSON.stringify({ id: request.id, ...(await answer(request)) }) + "\n");
}
`;

/** Node, without packages. */
export const node: Skeleton = {
  files: { "adapter.mjs": ADAPTER },
  build: [],
  command: "node DIR/adapter.mjs",
};
