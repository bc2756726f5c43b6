import { assert, assertEquals } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { judgeImage, layersOf, openFiles, openImage, readContent } from "../../src/image/mod.ts";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import { makeLink } from "../cli/files.ts";
import { fill, overlayBytes as bytesOf, small } from "./overlays.ts";
import { CountingSource } from "../counting_source.ts";

/**
 * An overlay of `backing` in its own directory, with a file called `secret` beside the directory.
 */
async function withOverlay(
  backing: string,
  use: (paths: { image: string; root: string }) => void | Promise<void>,
): Promise<void> {
  const outside = Deno.makeTempDirSync();
  const root = `${outside}/images`;
  try {
    Deno.mkdirSync(root);
    Deno.writeFileSync(`${outside}/secret`, new Uint8Array(4096).fill(0x5a));
    Deno.writeFileSync(`${root}/base`, new Uint8Array(4096).fill(0x11));
    const image = `${root}/overlay.qcow2`;
    Deno.writeFileSync(image, bytesOf({ backing: { name: backing, format: "raw" } }));
    await use({ image, root });
  } finally {
    Deno.removeSync(outside, { recursive: true });
  }
}

/** First byte of the content, and the rules that opening and judging found broken. */
function look(image: string, root?: string): { byte: number | undefined; rules: string[] } {
  const opened = openImage(image, root === undefined ? {} : { root });
  try {
    const rules = judgeImage(opened).findings.map((finding) => finding.rule);
    const byte = opened.incomplete ? undefined : readContent(layersOf(opened), 0, 1)[0];
    return { byte, rules };
  } finally {
    opened.close();
  }
}

Deno.test("a backing file beside the image is read", async () => {
  await withOverlay("base", ({ image }) => assertEquals(look(image), { byte: 0x11, rules: [] }));
  await withOverlay("./base", ({ image }) => assertEquals(look(image).byte, 0x11));
});

Deno.test("a backing file outside the root is not opened, not even through a link", async () => {
  for (const name of ["../secret", "../images/../secret", "/etc/passwd"]) {
    await withOverlay(name, ({ image }) => {
      assertEquals(look(image), { byte: undefined, rules: ["blk.backing.not-followed"] });
    });
  }
});

Deno.test("--root widens what may be opened, and no more than that", async () => {
  await withOverlay("../secret", ({ image, root }) => {
    assertEquals(look(image, `${root}/..`).byte, 0x5a);
    assertEquals(look(image, root).byte, undefined);
  });
});

Deno.test("a backing file that is a symbolic link out of the root is not opened", async () => {
  await withOverlay("link", async ({ image, root }) => {
    await makeLink(`${root}/../secret`, `${root}/link`);
    assertEquals(look(image), { byte: undefined, rules: ["blk.backing.not-followed"] });
  });
});

Deno.test("names of protocols, and what json: says of them, are reported, not followed", async () => {
  for (const name of ['json:{"file":{"driver":"nbd"}}', "nbd://localhost/disk", "fat:images"]) {
    await withOverlay(name, ({ image }) => {
      assertEquals(look(image).rules, ["blk.backing.not-followed"]);
    });
  }
});

Deno.test("a missing backing file is a finding, and qemu-img rejects the image", async () => {
  await withOverlay("nowhere", ({ image }) => {
    const opened = openImage(image);
    const { qemu, findings } = judgeImage(opened);
    assertEquals([qemu.open, findings.map(({ rule }) => rule)], ["reject", ["blk.backing.opens"]]);
    opened.close();
  });
});

Deno.test("an image that is its own backing file ends the chain", async () => {
  await withOverlay("overlay.qcow2", ({ image }) => {
    Deno.writeFileSync(image, bytesOf({ backing: { name: "overlay.qcow2" } }));
    assertEquals(look(image).rules, ["blk.backing.no-loop"]);
  });
});

Deno.test("a chain is read through its layers, with zeros after the end of a short backing file", () => {
  const files = new Map([
    ["top", bytesOf({ backing: { name: "middle" }, clusters: [fill(1, 1)] })],
    [
      "middle",
      bytesOf({
        backing: { name: "base", format: "raw" },
        size: 1536n,
        clusters: [fill(0, 2)],
      }),
    ],
    ["base", new Uint8Array(8192).fill(3)],
  ]);
  const sources = new Map([...files].map(([name, bytes]) => [name, new MemorySource(bytes)]));
  const layers = layersOf(openFiles(sources));
  const first = (cluster: number) => readContent(layers, cluster * 512, 1)[0];
  // The third cluster comes from the base; the fourth is after the end of the middle image, which
  // hides the base although that is longer.
  assertEquals([0, 1, 2, 3, 4].map(first), [2, 1, 3, 0, 0]);
});

/** Bytes that judging reads of a file of up to 1 MiB, and as often again for each further one. */
const READ_MAX = 2 ** 30;

Deno.test("judging costs no more than its bound, whatever the image multiplies", () => {
  // Every L1 entry leads to one L2 table, and every entry of that to one cluster: 2^23 guest clusters
  // in a file of a few hundred KiB.
  const bytes = bytesOf({
    clusterBits: 16,
    size: 1n << 45n,
    clusters: [{ index: 0, kind: "zero" }],
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { placed } = buildQcow2(normaliseQcow2({
    ...small,
    clusterBits: 16,
    size: 1n << 45n,
    clusters: [{ index: 0, kind: "zero" }],
  })).image;
  const l1 = placed.find((place) => place.path === "/l1");
  const l2 = placed.find((place) => place.path === "/l2[0]");
  assert(l1 !== undefined && l2 !== undefined);
  for (let at = l1.offset; at < l1.offset + l1.length; at += 8) {
    view.setBigUint64(at, BigInt(l2.offset));
  }
  for (let at = l2.offset; at < l2.offset + l2.length; at += 16) view.setBigUint64(at, 65536n);
  const source = new CountingSource(new MemorySource(bytes));
  const judgement = judgeImage(openFiles(new Map([["bomb", source]])));
  const mib = Math.max(1, bytes.length / 2 ** 20);
  // As much as is read within the time that is stated, on any machine.
  assert(source.bytes < READ_MAX * mib, `${source.bytes} bytes read`);
  assertEquals(judgement.qemu.open, "accept");
  assert((judgement.qemu.check?.corruptions ?? 0) > 0);
});
