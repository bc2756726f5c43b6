import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Decompressed, unzstdCluster } from "../../src/codec/mod.ts";
import { fromHex, repeated, SENTENCE } from "./bytes.ts";
import { concat } from "./random.ts";
import { type Block, type HandFrame, handFrame, skippableFrame } from "./zstd_streams.ts";

const CLUSTER = 512;
const TEXT = repeated(SENTENCE, CLUSTER);

/** Made by the command line tool of zstd 1.5.4. */
const ZSTD = {
  whole: fromHex(
    "28b52ffd600001b50100d40254686520717569636b2062726f776e20666f78206a756d7073206f7665722074" +
      "6865206c617a7920646f672e2001008586aa2a03",
  ),
  checksum: fromHex(
    "28b52ffd640001b50100d40254686520717569636b2062726f776e20666f78206a756d7073206f7665722074" +
      "6865206c617a7920646f672e2001008586aa2a0327e9e78d",
  ),
  noContentSize: fromHex(
    "28b52ffd0058b50100d40254686520717569636b2062726f776e20666f78206a756d7073206f766572207468" +
      "65206c617a7920646f672e2001008586aa2a03",
  ),
  empty: fromHex("28b52ffd240001000099e9d851"),
};

/** The descriptor of a header: with a window alone, with four bytes of content size as well, … */
const WINDOW = 0x00;
const WINDOW_AND_SIZE = 0x80;
/** … of a single segment with four bytes of content size. */
const SEGMENT = 0xa0;

function raw(bytes: Uint8Array): Block {
  return { type: 0, size: bytes.length, bytes };
}

/** A frame that holds the text in one raw block. */
function textFrame(changes: Partial<HandFrame> = {}): Uint8Array {
  return handFrame({
    descriptor: WINDOW_AND_SIZE,
    contentSize: CLUSTER,
    blocks: [raw(TEXT)],
    ...changes,
  });
}

function unzstd(...parts: readonly Uint8Array[]): Decompressed {
  return unzstdCluster(concat(...parts), CLUSTER);
}

function assertText(result: Decompressed): void {
  assert(result.ok, result.ok ? "" : result.reason);
  assertEquals(result.bytes, TEXT);
}

function assertRefused(result: Decompressed, reason: string): void {
  assert(!result.ok, "accepted");
  assertStringIncludes(result.reason, reason);
}

Deno.test("unzstdCluster() decompresses frames of zstd", () => {
  assertText(unzstd(ZSTD.whole));
  assertText(unzstd(ZSTD.checksum));
  assertText(unzstd(ZSTD.noContentSize));
});

Deno.test("unzstdCluster() ignores data after the frame that completes the cluster", () => {
  for (const frame of [ZSTD.whole, ZSTD.checksum, ZSTD.noContentSize, textFrame()]) {
    assertText(unzstd(frame, new Uint8Array(300)));
    assertText(unzstd(frame, new Uint8Array(300).fill(0xff)));
    assertText(unzstd(frame, frame));
  }
});

Deno.test("unzstdCluster() rejects a frame that lacks its last byte", () => {
  for (const frame of [ZSTD.whole, ZSTD.checksum, ZSTD.noContentSize, textFrame()]) {
    assertRefused(unzstd(frame.subarray(0, frame.length - 1)), "the zstd frame at 0 is cut off in");
  }
});

Deno.test("unzstdCluster() joins frames, skippable and empty ones among them", () => {
  const half = (from: number) =>
    handFrame({ descriptor: WINDOW, blocks: [raw(TEXT.subarray(from, from + 256))] });
  const skippable = skippableFrame(TEXT.subarray(0, 9), 15);
  assertText(unzstd(half(0), half(256)));
  assertText(unzstd(skippable, half(0), ZSTD.empty, skippableFrame(new Uint8Array(0)), half(256)));
  assertRefused(unzstd(half(0), ZSTD.empty), "the zstd frames end after 256 of 512 bytes");
});

Deno.test("unzstdCluster() rejects zeros between frames", () => {
  const half = handFrame({ descriptor: WINDOW, blocks: [raw(TEXT.subarray(0, 256))] });
  assert(unzstd(half, half).ok);
  assertRefused(
    unzstd(half, new Uint8Array(8), half),
    `the zstd frame at ${half.length} does not start with a magic number`,
  );
});

Deno.test("unzstdCluster() rejects a cluster that is a byte short or a byte over", () => {
  for (const descriptor of [WINDOW, WINDOW_AND_SIZE, SEGMENT]) {
    const of = (content: Uint8Array) =>
      unzstd(handFrame({ descriptor, contentSize: content.length, blocks: [raw(content)] }));
    assertText(of(TEXT));
    assertRefused(of(TEXT.subarray(1)), "the zstd frames end after 511 of 512 bytes");
    assert(!of(concat(TEXT, TEXT.subarray(0, 1))).ok);
  }
  assertRefused(unzstd(), "the zstd frames end after 0 of 512 bytes");
});

Deno.test("unzstdCluster() rejects a full cluster whose frame has more blocks", () => {
  const more = (block: Block) =>
    unzstd(textFrame({ descriptor: WINDOW, blocks: [raw(TEXT), block] }));
  assertText(more(raw(new Uint8Array(0))));
  assertRefused(more(raw(Uint8Array.of(1))), "holds more than the 512 bytes that are missing");
});

Deno.test("unzstdCluster() rejects a wrong checksum", () => {
  assertText(unzstd(ZSTD.checksum));
  const wrong = ZSTD.checksum.slice();
  wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 1;
  assertRefused(unzstd(wrong), "is malformed");
});

Deno.test("unzstdCluster() accepts dictionary 0 and rejects any other", () => {
  for (const width of [1, 2, 3]) {
    const descriptor = WINDOW_AND_SIZE | width;
    assertText(unzstd(textFrame({ descriptor, dictionaryId: 0 })));
    assertRefused(unzstd(textFrame({ descriptor, dictionaryId: 7 })), "needs dictionary 7");
  }
});

Deno.test("unzstdCluster() rejects the reserved bit of a header, and not the unused one", () => {
  assertText(unzstd(textFrame({ descriptor: WINDOW_AND_SIZE | 0x10 })));
  assertRefused(unzstd(textFrame({ descriptor: WINDOW_AND_SIZE | 0x08 })), "reserved bit");
});

Deno.test("unzstdCluster() rejects a window above 128 MiB only where one is needed", () => {
  const eighthsOver = 1;
  const of = (descriptor: number, windowLog: number, eighths = 0) =>
    unzstd(textFrame({ descriptor, window: ((windowLog - 10) << 3) | eighths }));
  assertText(of(WINDOW, 27));
  assertRefused(of(WINDOW, 27, eighthsOver), "asks for a window of 150994944 bytes");
  assertText(of(WINDOW_AND_SIZE, 27, eighthsOver));
  assertText(of(WINDOW_AND_SIZE, 31, 7));
  assertRefused(of(WINDOW_AND_SIZE, 32), "asks for a window of 4294967296 bytes");
});

Deno.test("unzstdCluster() compares the size in a frame with its content", () => {
  for (const descriptor of [WINDOW_AND_SIZE, SEGMENT]) {
    assertText(unzstd(textFrame({ descriptor })));
    assertRefused(unzstd(textFrame({ descriptor, contentSize: CLUSTER - 1 })), "is malformed");
    assertRefused(
      unzstd(textFrame({ descriptor, contentSize: CLUSTER + 1 })),
      "reports 513 bytes where 512 are missing",
    );
  }
});

// libzstd compares the sizes after the content of a last block, and an empty block has none.
Deno.test("unzstdCluster() accepts a size that is too large when the last block is empty", () => {
  const blocks = [raw(TEXT), raw(new Uint8Array(0))];
  for (const contentSize of [CLUSTER, CLUSTER + 1, 2 ** 26]) {
    assertText(unzstd(textFrame({ blocks, contentSize })));
    assertText(unzstd(textFrame({ blocks, contentSize, descriptor: SEGMENT })));
  }
  // In two bytes, a size counts from 256.
  assertText(unzstd(textFrame({ blocks, contentSize: CLUSTER + 1, descriptor: 0x40 })));
  assertRefused(unzstd(textFrame({ blocks, contentSize: CLUSTER - 1 })), "is malformed");
  // Where there is room for the size, it is compared with the content, empty block or not.
  const small = [raw(TEXT.subarray(0, 100)), raw(new Uint8Array(0))];
  const rest = handFrame({ descriptor: WINDOW, blocks: [raw(TEXT.subarray(100))] });
  assertText(unzstd(textFrame({ blocks: small, contentSize: 100 }), rest));
  for (const contentSize of [99, 101, 412]) {
    assert(!unzstd(textFrame({ blocks: small, contentSize }), rest).ok);
  }
  const emptyRun = { type: 1, size: 0, bytes: Uint8Array.of(0) };
  assertText(unzstd(textFrame({ blocks: [raw(TEXT), emptyRun] })));
  assertRefused(
    unzstd(textFrame({ blocks: [raw(TEXT), emptyRun], contentSize: CLUSTER + 1 })),
    "reports 513 bytes",
  );
});

// libzstd keeps 2^64 - 1 for "unknown".
Deno.test("unzstdCluster() treats a size of all ones as unknown", () => {
  const frame = textFrame({ descriptor: 0xc0 });
  frame.fill(0xff, 6, 14);
  assertText(unzstd(frame));
  frame[6] = 0xfe;
  assertRefused(unzstd(frame), "where 512 are missing");
});

Deno.test("unzstdCluster() rejects a block that is larger than the window allows", () => {
  const of = (length: number) => {
    const content = repeated(SENTENCE, length);
    return unzstdCluster(
      handFrame({ descriptor: WINDOW, window: 0, blocks: [raw(content)] }),
      length,
    );
  };
  assert(of(1024).ok);
  assertRefused(of(1025), "more than its window allows");
});

Deno.test("unzstdCluster() rejects a block of the reserved type", () => {
  const block = { type: 3, size: CLUSTER, bytes: TEXT };
  assertRefused(unzstd(textFrame({ blocks: [block] })), "reserved type");
});

Deno.test("unzstdCluster() never throws on a cut or flipped frame", () => {
  for (const frame of [ZSTD.whole, ZSTD.checksum, ZSTD.noContentSize, ZSTD.empty]) {
    for (let at = 0; at < frame.length; at++) {
      assert(!unzstd(frame.subarray(0, at)).ok);
      for (let bit = 0; bit < 8; bit++) {
        const flipped = frame.slice();
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        const result = unzstd(flipped);
        if (result.ok) assertEquals(result.bytes.length, CLUSTER);
      }
    }
  }
});
