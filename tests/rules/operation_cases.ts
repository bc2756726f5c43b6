/** Rules that show in what is done to an image: each is broken and kept with qemu itself. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FileSource } from "../../src/bytes/mod.ts";
import { openBytes, readContent } from "../../src/image/mod.ts";
import type { ToolResult } from "../../src/peers/mod.ts";
import { material } from "./encryption_operation.ts";
import { IMAGE, writeCase } from "./live.ts";
import { codeOf, type Operation, qemu } from "./operation.ts";
import { type Case, type CaseEdit, imageOf } from "../../corpus/cases/mod.ts";
import { flip, refcount } from "../../corpus/cases/edit.ts";
import {
  compressed,
  data,
  extended,
  filled,
  small,
  snapshot,
} from "../../corpus/cases/qcow2/models.ts";

/** Writes an image, by default the small one, after edits. */
async function write(
  directory: string,
  { base = small(), changes = [], ...rest }: Partial<Pick<Case, "base" | "files">> & {
    readonly changes?: readonly CaseEdit[];
  },
): Promise<void> {
  await writeCase(directory, imageOf({ base, ...rest }, changes));
}

const rebuild: Operation = {
  rule: "qcow2.check.rebuild-without-all",
  about: "a refcount of 0 is not repaired with the leaks, but with all",
  async run(directory) {
    const unreferenced = { changes: [refcount("/data[0]", 0)] };
    await write(directory, unreferenced);
    const leaks = await qemu(directory, "qemu-img", "check", "-r", "leaks", IMAGE);
    assertEquals(codeOf(leaks), 1);
    assertMatch(leaks.stderr, /need to rebuild/);
    await write(directory, unreferenced);
    assertEquals(codeOf(await qemu(directory, "qemu-img", "check", "-r", "all", IMAGE)), 0);
    await write(directory, { changes: [refcount("/data[0]", 2)] });
    // The refcount is repaired, and so is the copied flag then.
    assertEquals(codeOf(await qemu(directory, "qemu-img", "check", "-r", "leaks", IMAGE)), 0);
  },
};

const relative: Operation = {
  rule: "blk.backing.relative-json",
  about: "a relative backing name is resolved against a file, and not against two at once",
  async run(directory) {
    const files = { base: filled(65536) };
    await write(directory, { base: small({ backing: { name: "base", format: "raw" } }), files });
    const file = { driver: "file", filename: IMAGE };
    const open = (overlay: unknown): Promise<ToolResult> => {
      const image = `json:${JSON.stringify({ driver: "qcow2", file: overlay })}`;
      return qemu(directory, "qemu-io", "-r", "-c", "quit", image);
    };
    assertEquals(codeOf(await open(file)), 0);
    const twice = await open({ driver: "blkverify", test: file, raw: file });
    assertEquals(codeOf(twice), 1);
    assertMatch(twice.stderr, /Cannot generate a base directory/);
  },
};

const neighbour: Operation = {
  rule: "qcow2.l2e.subcluster-neighbour",
  about: "map loses the cluster before an invalid one, but not a compressed one",
  async run(directory) {
    const invalid = flip("/l2[0]/2/subcluster_bitmap", 32);
    const mapped = async (second: ReturnType<typeof data>): Promise<string> => {
      const base = extended({ clusters: [{ index: 0, kind: "zero" }, second, data(2)] });
      await write(directory, { base, changes: [invalid] });
      const map = await qemu(directory, "qemu-img", "map", "--output=json", IMAGE);
      assertEquals(codeOf(map), 1);
      const alone = ["qemu-io", "-r", "-c", "read 16384 16384", IMAGE];
      assertEquals(codeOf(await qemu(directory, ...alone)), 0);
      return map.stdout.trim();
    };
    assertEquals(await mapped(data(1)), "[");
    assertMatch(await mapped(compressed(1)), /^\[\{ "start": 0, "length": 16384,.*\},$/);
  },
};

const beyond: Operation = {
  rule: "qcow2.l1e.beyond-table",
  about: "what a snapshot's L1 table does not reach reads as zeros",
  async run(directory) {
    const size = 2 ** 22;
    const base = small({
      size: BigInt(size),
      clusters: [data(0), data(512)],
      snapshots: [snapshot(1, size / 2, { shared: [0] })],
    });
    await write(directory, { base });
    const convert = ["convert", "-l", "snapshot.id=1", "-O", "raw", IMAGE, "content"];
    assertEquals(codeOf(await qemu(directory, "qemu-img", ...convert)), 0);
    const content = await Deno.readFile(`${directory}/content`);
    const source = new FileSource(`${directory}/${IMAGE}`);
    try {
      const layer = openBytes(source, "qcow2").layer?.snapshot?.("1");
      assert(layer !== undefined, "the snapshot opens");
      assertEquals(readContent([layer], 0, size), content);
      assert(content.subarray(size / 2).every((byte) => byte === 0), "the rest is zeros");
    } finally {
      source.close();
    }
  },
};

/** The last byte of each of the feature fields of the header. */
const FEATURES = { incompatible: 79, compatible: 87, autoclear: 95 };

async function featuresAfterOpening(
  directory: string,
  change: CaseEdit,
): Promise<Record<keyof typeof FEATURES, number | undefined>> {
  await write(directory, { changes: [change] });
  assertEquals(codeOf(await qemu(directory, "qemu-io", "-c", "quit", IMAGE)), 0);
  const header = await Deno.readFile(`${directory}/${IMAGE}`);
  return {
    incompatible: header[FEATURES.incompatible],
    compatible: header[FEATURES.compatible],
    autoclear: header[FEATURES.autoclear],
  };
}

const features: readonly Operation[] = [
  {
    rule: "qcow2.header.dirty-repair",
    about: "a writable opening repairs the refcounts and clears the dirty bit",
    async run(directory) {
      const dirty = flip("/header/incompatible_features", 0);
      await write(directory, {
        base: small({ placement: { leaks: 1 } }),
        changes: [dirty, refcount("/data[0]", 0)],
      });
      assertEquals(codeOf(await qemu(directory, "qemu-img", "check", IMAGE)), 2);
      assertEquals(codeOf(await qemu(directory, "qemu-io", "-c", "quit", IMAGE)), 0);
      assertEquals(codeOf(await qemu(directory, "qemu-img", "check", IMAGE)), 0);
      assertEquals((await featuresAfterOpening(directory, dirty)).incompatible, 0);
    },
  },
  {
    rule: "qcow2.header.autoclear-unknown",
    about: "a writable opening clears it",
    async run(directory) {
      const unknown = flip("/header/autoclear_features", 2);
      assertEquals((await featuresAfterOpening(directory, unknown)).autoclear, 0);
    },
  },
  {
    rule: "qcow2.header.compat-unknown",
    about: "a writable opening keeps it",
    async run(directory) {
      const unknown = flip("/header/compatible_features", 1);
      assertEquals((await featuresAfterOpening(directory, unknown)).compatible, 2);
    },
  },
];

const loop: Operation = {
  rule: "blk.backing.no-loop",
  about: "info follows the chain until an image comes again",
  async run(directory) {
    await write(directory, { base: small({ backing: { name: IMAGE, format: "qcow2" } }) });
    const info = await qemu(directory, "qemu-img", "info", "--backing-chain", IMAGE);
    assertEquals(codeOf(info), 1);
    assertMatch(info.stderr, /infinite loop/);
  },
};

export const operations: readonly Operation[] = [
  material,
  rebuild,
  relative,
  neighbour,
  beyond,
  ...features,
  loop,
];
