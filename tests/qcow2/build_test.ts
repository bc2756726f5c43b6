import { assert, assertEquals } from "@std/assert";
import { type ByteSource, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Placed } from "../../src/format/mod.ts";
import { readUint, type Struct } from "../../src/layout/mod.ts";
import { buildQcow2, guestContent, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/model.ts";
import { succeed } from "../qcow1/live.ts";
import { assertQemuAgrees } from "./built_live.ts";
import { builtModels, hugeModel } from "./built_models.ts";
import { plain } from "./built_parts.ts";
import { liveTest, QEMU } from "../live.ts";

const HUGE = { l1Bytes: 32 << 20 };

Deno.test("normaliseQcow2() does not change any model of the collection", () => {
  for (const [name, model] of Object.entries(builtModels)) {
    assertEquals(normaliseQcow2(model), model, name);
  }
  assertEquals(normaliseQcow2(hugeModel, HUGE), hugeModel);
});

for (const [name, model] of Object.entries(builtModels)) {
  liveTest(
    { needs: QEMU },
    `buildQcow2() builds an image that qemu-img accepts: ${name}`,
    async (directory) => {
      await assertQemuAgrees(model, directory);
    },
  );
}

liveTest(
  { needs: QEMU },
  "buildQcow2() builds an image with a disk of 2^61 bytes that qemu-img accepts",
  async (directory) => {
    await assertQemuAgrees(hugeModel, directory);
  },
);

Deno.test("buildQcow2() stores little of a disk of 2^61 bytes", () => {
  const { image } = buildQcow2(hugeModel);
  const stored = image.segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert(stored < 3 << 20, `${stored} bytes for one cluster of 2 MiB`);
});

Deno.test("buildQcow2() gives the same bytes for the same model", () => {
  const model = builtModels["everything in another order"] as Qcow2Model;
  assertEquals(buildQcow2(model), buildQcow2(structuredClone(model)));
});

Deno.test("buildQcow2() writes every segment inside the file and over no other", () => {
  for (const [name, model] of Object.entries(builtModels)) {
    const { image, dataFile } = buildQcow2(model);
    for (const built of dataFile === undefined ? [image] : [image, dataFile]) {
      let end = 0;
      for (const { offset, bytes } of new SegmentSource(built.segments, built.size).segments) {
        assert(offset >= end, `${name}: two segments at ${offset}`);
        end = offset + bytes.length;
      }
      assert(end <= built.size, `${name}: a segment ends at ${end} of ${built.size}`);
    }
  }
});

Deno.test("buildQcow2() names each part once, inside the file", () => {
  for (const [name, model] of Object.entries(builtModels)) {
    const { image } = buildQcow2(model);
    const paths = new Set<string>();
    for (const { path, offset, length, struct, count } of image.placed) {
      assert(!paths.has(path), `${name}: ${path} twice`);
      paths.add(path);
      assert(length > 0 && offset + length <= image.size, `${name}: ${path} is not in the file`);
      if (struct !== undefined && !path.endsWith("/extra")) {
        assertEquals(length, struct.size * (count ?? 1), path);
      }
    }
  }
});

/** The place with a path. */
function at({ placed }: BuiltImage, path: string): Placed {
  const found = placed.find((place) => place.path === path);
  assert(found !== undefined, `nothing is placed at ${path}`);
  return found;
}

/** A field of the structure, or of the element of a table, with a path. */
function field(image: BuiltImage, path: string, name: string, index = 0): bigint {
  const { offset, struct } = at(image, path);
  const { size, offsets } = struct as Struct;
  const start = offset + index * size + (offsets as Record<string, number>)[name]!;
  const width = struct?.fields.find((candidate) => candidate.name === name)?.width as number;
  return readUint(sourceOf(image).read(start, width), 0, width);
}

function sourceOf({ segments, size }: BuiltImage): ByteSource {
  return new SegmentSource(segments, size);
}

Deno.test("buildQcow2() places structures where their pointers say", () => {
  const { image } = buildQcow2(builtModels["everything in another order"] as Qcow2Model);
  const leads: [path: string, name: string, index: number, to: string][] = [
    ["/header", "l1_table_offset", 0, "/l1"],
    ["/header", "refcount_table_offset", 0, "/reftable"],
    ["/header", "snapshots_offset", 0, "/snapshots"],
    ["/header", "snapshots_offset", 0, "/snapshot[0]"],
    ["/header", "backing_file_offset", 0, "/backing_name"],
    ["/reftable", "refcount_table_entry", 0, "/refblock[0]"],
    ["/snapshot[0]", "l1_table_offset", 0, "/snapshot[0]/l1"],
    ["/bitmaps", "bitmap_directory_offset", 0, "/bitmap_directory"],
    ["/bitmap[0]", "bitmap_table_offset", 0, "/bitmap[0]/table"],
    ["/bitmap[0]/table", "bitmap_table_entry", 0, "/bitmap[0]/data[0]"],
  ];
  for (const [path, name, index, to] of leads) {
    assertEquals(field(image, path, name, index), BigInt(at(image, to).offset), `${path}/${name}`);
  }
  const offsetMask = 0x00fffffffffffe00n;
  for (
    const [path, name, index, to] of [
      ["/l1", "l1_entry", 0, "/l2[0]"],
      ["/l1", "l1_entry", 1, "/l2[1]"],
      ["/snapshot[0]/l1", "l1_entry", 0, "/l2[3]"],
      ["/l2[0]", "l2_entry", 3, "/data[3]"],
    ] as const
  ) {
    const entry = field(image, path, name, index);
    assertEquals(entry & offsetMask, BigInt(at(image, to).offset), `${path}/${index}/${name}`);
  }
  assertEquals(field(image, "/snapshot[0]/extra", "disk_size"), 299_520n);
  assertEquals(field(image, "/feature[1]", "bit"), 1n);
  assertEquals(field(image, "/bitmap[0]", "granularity_bits"), 9n);
});

Deno.test("guestContent() cuts the last cluster at the last whole sector of the disk", () => {
  const model = builtModels["a disk that ends inside a sector of a cluster"] as Qcow2Model;
  const content = guestContent(model);
  assertEquals(content.virtualSize, 8704);
  assertEquals(content.named, [0, 2]);
  assertEquals(content.at(2).bytes.length, 512);
  assertEquals(content.at(1), { bytes: new Uint8Array(4096), known: 0 });
});

Deno.test("guestContent() has subclusters with data or zeros, and no others", () => {
  const model = builtModels["subclusters of every kind"] as Qcow2Model;
  const { known, bytes } = guestContent(model).at(1);
  assertEquals(known, 0xff00ffff);
  assert(bytes.subarray(0, 512).some((byte) => byte !== 0));
  assert(bytes.subarray(16 * 512).every((byte) => byte === 0));
});

for (const kind of ["data", "compressed"] as const) {
  liveTest(
    { needs: QEMU },
    `buildQcow2() writes the same bytes as QEMU: ${kind}`,
    async (directory) => {
      const fills = [0x41, 0x42, 0x43, 0x44, 0x45];
      const path = `${directory}/image`;
      await succeed(["qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=4k", path, "64k"]);
      const flag = kind === "compressed" ? "-c" : "";
      const writes = fills.flatMap((fill, i) => [
        "-c",
        `write ${flag} -P ${fill} ${(4 - i) * 4}k 4k`,
      ]);
      await succeed(["qemu-io", "-f", "qcow2", ...writes, path]);
      const clusters = fills.map((seed, i) => ({
        index: 4 - i,
        kind,
        pattern: { kind: "fill", seed } as const,
        level: 6,
        gap: 0,
      }));
      const { image } = buildQcow2(
        normaliseQcow2({
          ...plain,
          clusterBits: 12,
          size: 65_536n,
          clusters,
          placement: { ...plain.placement, cutTail: true },
        }),
      );
      const written = await Deno.readFile(path);
      const built = sourceOf(image).read(0, written.length);
      assertEquals(built.findIndex((byte, i) => byte !== written[i]), -1, "the files differ");
      assertEquals(image.size, written.length);
    },
  );
}
