import { assert, assertEquals } from "@std/assert";
import {
  type Decompressed,
  deflateCluster,
  inflateCluster,
  unzstdCluster,
} from "../../src/codec/mod.ts";
import { liveTest, QEMU } from "../live.ts";
import { deflateStream } from "./deflate_streams.ts";
import { askQemu, type ClusterFormat, compressedByQemu, longestInput } from "./qemu_clusters.ts";
import { concat, Random } from "./random.ts";
import { zstdStream } from "./zstd_streams.ts";

/** What is printed of a difference: enough to make the stream again. */
function describe(answer: Uint8Array | undefined, ours: Decompressed): string {
  const theirs = answer === undefined ? "refuses" : "accepts";
  return `QEMU ${theirs}, we ${ours.ok ? "accept" : `refuse: ${ours.reason}`}`;
}

interface Round {
  readonly format: ClusterFormat;
  readonly clusterBits: number;
  readonly count: number;
}

/**
 * Random streams as clusters of an image: QEMU and diskproof must give the same bytes, or both
 * reject.
 */
async function compare(round: Round): Promise<{ accepted: number; refused: number }> {
  const { format, clusterBits, count } = round;
  const random = new Random(clusterBits);
  const makeStream = format === "qcow2-zstd" ? zstdStream : deflateStream;
  const decompress = format === "qcow2-zstd" ? unzstdCluster : inflateCluster;
  const streams = Array.from({ length: count }, () => {
    const stream = makeStream(random, 2 ** clusterBits);
    // qcow2 cannot name an empty stream.
    const input = stream.length === 0 && format !== "qcow" ? new Uint8Array(1) : stream;
    return input.subarray(0, longestInput(format, clusterBits));
  });
  const answers = await askQemu({ format, clusterBits, streams });
  let accepted = 0;
  streams.forEach((stream, index) => {
    const ours = decompress(stream, 2 ** clusterBits);
    const answer = answers[index];
    const told = `stream ${index} of ${JSON.stringify(round)}: ${describe(answer, ours)}`;
    assertEquals(ours.ok, answer !== undefined, told);
    if (ours.ok) assertEquals(ours.bytes, answer, told);
    if (ours.ok) accepted++;
  });
  return { accepted, refused: count - accepted };
}

for (const format of ["qcow", "qcow2", "qcow2-zstd"] as const) {
  liveTest(
    { needs: QEMU },
    `random compressed clusters read the same as in QEMU, ${format}`,
    async () => {
      for (const [clusterBits, count] of [[9, 300], [12, 500], [16, 30]] as const) {
        const { accepted, refused } = await compare({ format, clusterBits, count });
        assert(accepted > count / 10 && refused > count / 10, `${accepted} accepted of ${count}`);
      }
    },
  );
}

liveTest(
  { needs: QEMU },
  "deflateCluster() writes the bytes that qemu-img convert -c writes",
  async () => {
    const clusterBits = 16;
    const random = new Random(1);
    const clusters = Array.from({ length: 12 }, () => random.content(2 ** clusterBits));
    const streams = await compressedByQemu(concat(...clusters), clusterBits);
    clusters.forEach((cluster, index) => {
      const stream = streams[index];
      assert(stream !== undefined, `cluster ${index} is not compressed`);
      const ours = deflateCluster(cluster);
      // What follows, up to the end of a sector, is the next stream.
      assertEquals(ours, stream.subarray(0, ours.length), `cluster ${index}`);
      assert(stream.length - ours.length < 512);
    });
  },
);
