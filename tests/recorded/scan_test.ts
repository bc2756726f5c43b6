/** Golden images whose header is overwritten: what a scan finds is what qemu-img had recorded. */

import { assert, assertEquals } from "@std/assert";
import { MemorySource, type Patch, utf8 } from "../../src/bytes/mod.ts";
import { type KnownFacts, patternBytes, type Remains } from "../../src/format/mod.ts";
import { digestOf, layersOf, openImage, scanFile } from "../../src/image/mod.ts";
import { decode, type Decoded } from "../../src/layout/mod.ts";
import { withScratch } from "../../src/peers/mod.ts";
import { features, header as qcow2Header, QCOW_MAGIC } from "../../src/qcow2/mod.ts";
import {
  type ImageRecord,
  readRecord,
  readRecordFiles,
  recordNames,
  unpackRecord,
} from "../../src/recorded/mod.ts";

const IMAGES = new URL("../../golden/images", import.meta.url).pathname;

interface Golden {
  readonly record: ImageRecord;
  readonly files: readonly Uint8Array[];
  /** The file to open. */
  readonly bytes: Uint8Array;
}

function golden(name: string): Golden {
  const record = readRecord(IMAGES, name);
  // Node's buffers share their memory with what `slice` gives.
  const files = readRecordFiles(IMAGES, record).map((file) => new Uint8Array(file));
  const at = record.files.findIndex((file) => file.name === record.subject);
  return { record, files, bytes: files[at] ?? new Uint8Array() };
}

const GOLDEN: readonly Golden[] = recordNames(IMAGES).map(golden);

/** What the recorded qemu-img says about an image, and the digest of its content. */
function recorded(
  { answers }: ImageRecord,
): { info: Info | undefined; digest: string | undefined } {
  const [answer] = Object.values(answers);
  const { info, digest } = answer ?? {};
  return {
    info: info !== undefined && "json" in info ? info.json as unknown as Info : undefined,
    digest: digest !== undefined && "sha256" in digest ? digest.sha256 : undefined,
  };
}

interface Info {
  readonly "virtual-size": number;
  readonly "backing-filename"?: string;
  readonly "backing-filename-format"?: string;
  readonly "format-specific"?: {
    readonly data: {
      readonly "data-file"?: string;
      readonly encrypt?: { readonly format: string };
    };
  };
}

/** What only the first cluster has, and a person knows. */
function knownOf(record: ImageRecord, size: number): KnownFacts {
  const { info } = recorded(record);
  const name = info?.["backing-filename"];
  const format = info?.["backing-filename-format"];
  const { "data-file": dataFile, encrypt } = info?.["format-specific"]?.data ?? {};
  return {
    virtualSize: size,
    ...(name === undefined
      ? {}
      : { backing: { name, ...(format === undefined ? {} : { format }) } }),
    ...(dataFile === undefined ? {} : { dataFile }),
    ...(encrypt?.format === "aes" ? { aes: true } : {}),
    ...(record.name === COMPRESSED_EXTENDED ? { extendedL2: true } : {}),
  };
}

/** Compressed clusters alone, whose entries are as well those of other guest clusters. */
const COMPRESSED_EXTENDED =
  "qcow2-v3-cluster-64k-refcount-16-extended-l2-lazy-refcounts-zstd-converted";

/** Images of which more than the header is lost, and why nothing determines their content. */
const LOST: Readonly<Record<string, string>> = {
  "qcow2-truncated-to-the-header": "no table is in the file",
  "qcow2-l1-table-zeroed": "the L1 table is zeros, and other clusters look alike",
  "qcow2-l2-table-zeroed": "the L2 table is zeros, and other clusters look alike",
  "luks-detached-qcow2": "the content is the payload of another file",
};

/** Bytes that a header may be overwritten with. */
const FILLS: readonly ((length: number) => Uint8Array)[] = [
  (length) => new Uint8Array(length),
  (length) => new Uint8Array(length).fill(0xaa),
  (length) => patternBytes({ kind: "noise", seed: 1 }, length),
];

function overwritten(bytes: Uint8Array, length: number, fill: number): Uint8Array {
  const hurt = bytes.slice();
  const noise = FILLS[fill % FILLS.length]?.(Math.min(length, hurt.length));
  hurt.set(noise ?? []);
  return hurt;
}

function repaired(bytes: Uint8Array, patches: readonly Patch[]): Uint8Array {
  const whole = bytes.slice();
  for (const patch of patches) whole.set(patch.bytes, patch.offset);
  return whole;
}

/** The digest of the content of an image whose subject is replaced. */
async function digestWith({ record }: Golden, subject: Uint8Array): Promise<string> {
  let digest = "";
  await withScratch((directory) => {
    unpackRecord(IMAGES, record, directory);
    Deno.writeFileSync(`${directory}/${record.subject}`, subject);
    const passphrases = (record.passphrases ?? []).map(utf8);
    const image = openImage(`${directory}/${record.subject}`, { passphrases });
    const layers = layersOf(image);
    digest = digestOf(layers, { from: 0, to: layers[0]?.virtualSize ?? 0 });
    image.close();
    return Promise.resolve();
  });
  return digest;
}

function fieldOf(remains: Remains | undefined, name: string): unknown {
  return remains?.fields.find((field) => field.name === name)?.value;
}

/** The range of the virtual size that a scan names; one size where it is sure. */
function sizeRange(remains: Remains | undefined): [number, number] {
  const said = remains?.unknown.map((text) => /^The virtual size: from (\d+) to (\d+) /.exec(text))
    .find((match) => match !== null);
  const size = Number(fieldOf(remains, "size"));
  return said === undefined ? [size, size] : [Number(said?.[1]), Number(said?.[2])];
}

const QCOW2 = GOLDEN.flatMap((image) => {
  const head = decode(qcow2Header, image.bytes);
  const known = head.magic === QCOW_MAGIC && [2, 3].includes(head.version);
  return known && !(image.record.name in LOST) ? [{ ...image, head }] : [];
});

/** The fields that say where things are, of a header and of what was found. */
const PLACES = [
  "cluster_bits",
  "l1_table_offset",
  "refcount_table_offset",
  "refcount_table_clusters",
  "nb_snapshots",
  "snapshots_offset",
] as const satisfies readonly (keyof Decoded<typeof qcow2Header>)[];

Deno.test("a scan finds all tables of every golden qcow2 image without its first cluster", () => {
  assert(QCOW2.length > 220, `${QCOW2.length} images`);
  for (const [fill, { record, bytes, head }] of QCOW2.entries()) {
    const { name } = record;
    const hurt = overwritten(bytes, 2 ** head.cluster_bits, fill);
    const known = name === COMPRESSED_EXTENDED ? { extendedL2: true } : {};
    const [found] = scanFile(new MemorySource(hurt), known);
    assertEquals(found?.format, "qcow2", name);
    const proposed = PLACES.map((field) => fieldOf(found, field));
    assertEquals(proposed, PLACES.map((field) => Number(head[field])), name);
    const order = head.version === 2 ? 4 : head.refcount_order;
    assertEquals(fieldOf(found, "refcount_order"), order, name);
    const extended = (head.incompatible_features & features.extendedL2) !== 0n && head.version > 2;
    const proposedFeatures = BigInt(Number(fieldOf(found, "incompatible_features")));
    assertEquals((proposedFeatures & features.extendedL2) !== 0n, extended, name);
    const [from, to] = sizeRange(found);
    assert(from <= Number(head.size) && Number(head.size) <= to, `${name}: ${from} to ${to}`);
  }
});

Deno.test("a scan is certain of every golden qcow2 image that nothing else is wrong with", () => {
  const damaged = ["overwritten", "dirty", "truncated", "leak", "refcount-maximum"];
  const sound = QCOW2.filter(({ record }) =>
    !record.features.some((feature) => damaged.includes(feature))
  );
  assert(sound.length > 200, `${sound.length} images`);
  for (const [fill, { record, bytes, head }] of sound.entries()) {
    const hurt = overwritten(bytes, 2 ** head.cluster_bits, fill + 1);
    const [found] = scanFile(new MemorySource(hurt));
    assertEquals(found?.confidence, "certain", record.name);
  }
});

Deno.test("repaired copies of golden qcow2 images have the recorded content", async () => {
  let compared = 0;
  for (const [fill, image] of QCOW2.entries()) {
    const { record, bytes, head } = image;
    const { digest } = recorded(record);
    if (digest === undefined) continue;
    const hurt = overwritten(bytes, 2 ** head.cluster_bits, fill + 2);
    const known = knownOf(record, Number(head.size));
    const [found] = scanFile(new MemorySource(hurt), known);
    const whole = repaired(hurt, found?.repair ?? []);
    assertEquals(await digestWith(image, whole), digest, record.name);
    compared++;
  }
  assert(compared > 200, `${compared} images`);
});

/** qcow images that no scan can find, and why. */
const LOST_QCOW: Readonly<Record<string, string>> = {
  "qcow-empty-1m": "it has no table with an entry",
  "qcow-empty-512": "it has no table with an entry",
  "qcow-cluster-unaligned": "its cluster is at a place where no writer puts one",
};

Deno.test("repaired copies of golden qcow images without their header have the recorded content", async () => {
  let compared = 0;
  for (const [fill, image] of GOLDEN.entries()) {
    const { record, bytes } = image;
    const head = decode(qcow2Header, bytes);
    if (head.magic !== QCOW_MAGIC || head.version !== 1 || record.name in LOST_QCOW) continue;
    const { info, digest } = recorded(record);
    if (info === undefined || digest === undefined) continue;
    const hurt = overwritten(bytes, QCOW_HEADER_BYTES, fill);
    const aes = record.features.includes("aes");
    const known = { virtualSize: info["virtual-size"], ...(aes ? { aes } : {}) };
    const [found] = scanFile(new MemorySource(hurt), known);
    assertEquals(found?.format, "qcow", record.name);
    const [from, to] = sizeRange(scanFile(new MemorySource(hurt))[0]);
    assert(
      from <= known.virtualSize && known.virtualSize <= to,
      `${record.name}: ${from} to ${to}`,
    );
    const whole = repaired(hurt, found?.repair ?? []);
    assertEquals(await digestWith(image, whole), digest, record.name);
    compared++;
  }
  assert(compared > 20, `${compared} images`);
});

const QCOW_HEADER_BYTES = 48;

Deno.test("golden LUKS volumes without their magic are repaired to the byte", () => {
  let compared = 0;
  for (const { record, bytes } of GOLDEN) {
    if (!new TextDecoder("latin1").decode(bytes.subarray(0, 8)).startsWith("LUKS\xba\xbe\0\x01")) {
      continue;
    }
    const hurt = bytes.slice();
    // The mark of a reencryption that was interrupted, in cryptsetup before 2.5.
    hurt.set([0xde, 0xad], 4);
    const [found] = scanFile(new MemorySource(hurt));
    assertEquals([found?.format, found?.confidence], ["luks", "certain"], record.name);
    assertEquals(repaired(hurt, found?.repair ?? []), bytes, record.name);
    compared++;
  }
  assert(compared > 40, `${compared} volumes`);
});

/** Raw files of golden images that contain findings. */
const FOUND_IN_RAW: Readonly<Record<string, string>> = {
  "qcow2-magic-gone/disk": "a qcow2 image without its magic",
  "cryptsetup-header-backup/disk": "a volume whose header was moved away, with its key material",
};

Deno.test("a scan finds nothing in the raw files of golden images", () => {
  let raw = 0;
  for (const { record, files } of GOLDEN) {
    record.files.forEach(({ name }, at) => {
      const bytes = files[at] ?? new Uint8Array();
      const start = new TextDecoder("latin1").decode(bytes.subarray(0, 4));
      if (start.startsWith("QFI") || start === "LUKS") return;
      raw++;
      const found = scanFile(new MemorySource(bytes));
      const place = `${record.name}/${name}`;
      assertEquals(found.length > 0, place in FOUND_IN_RAW, place);
    });
  }
  assert(raw > 60, `${raw} files`);
});
