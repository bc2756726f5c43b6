/** `corpus add`: an artifact of the fuzzer, or an image, becomes a case. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { gzipSync } from "node:zlib";
import { add } from "../../corpus/build/add.ts";
import { ofSidecar } from "../../corpus/build/given.ts";
import { judged, smaller } from "../../corpus/build/minimize.ts";
import { problemsOf } from "../../corpus/build/verify.ts";
import type { Sidecar } from "../../fuzz/engine/mod.ts";
import { UsageError } from "../../src/cli/mod.ts";
import { QemuImgPeer } from "../../src/peers/mod.ts";
import { readImage, recordNames } from "../../src/recorded/mod.ts";
import { liveTest } from "../live.ts";

const IMAGES = new URL("../../corpus/images", import.meta.url).pathname;
/** Its L2 entry is wrong, and the first cluster has data. */
const BROKEN = "qcow2.l2e.aligned-breaks";

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readImage(IMAGES, name).files()[0] ?? []);
}

/** Bytes that are not zero. */
function filled(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + Number(byte !== 0), 0);
}

Deno.test("smaller() zeroes bytes that decide nothing, and leaves what is wrong with an image", () => {
  const bytes = bytesOf(BROKEN);
  const given = { format: "qcow2", passphrases: [], about: "", changes: [], flags: [] };
  const before = { ...given, files: new Map([["image", bytes]]) };
  const after = smaller(before);
  const rules = ({ files }: { files: ReadonlyMap<string, Uint8Array> }) =>
    new Set(judged(files, given).findings.map(({ rule }) => rule));
  assertEquals(rules(after), rules(before));
  const left = after.files.get("image") ?? new Uint8Array();
  assertEquals(left.length, bytes.length);
  assert(filled(left) < filled(bytes), `${filled(left)} of ${filled(bytes)} bytes`);
  assertEquals(filled(bytes), filled(bytesOf(BROKEN)), "the given bytes have not changed");
});

const SIDECAR = {
  artifact: "diskproof-artifact-1",
  target: "open",
  kind: "timeout",
  signature: "judge",
  message: "no end after 10 s\nand more",
  description: "a model\n  /header/version := 1",
  passphrases: ["first"],
  files: [{
    name: "disk.qcow2",
    size: 6,
    fingerprint: "",
    extents: [{ offset: 2, gzip: gzipSync(Uint8Array.of(7, 8)).toBase64() }],
  }],
} as unknown as Sidecar;

const NO_OPTIONS = { value: () => undefined, list: () => [] };

Deno.test("an artifact gives the files, the passphrases and what happened", () => {
  const { files, passphrases, about, changes, flags, happened } = ofSidecar(
    SIDECAR,
    "",
    NO_OPTIONS,
  );
  assertEquals([...files], [["image", Uint8Array.of(0, 0, 7, 8, 0, 0)]]);
  assertEquals([passphrases, about], [["first"], "open judge"]);
  assertEquals(changes, ["a model", "/header/version := 1"]);
  assertEquals([flags, happened], [["loop"], "found by fuzz open: no end after 10 s"]);
  const cut = { ...SIDECAR, files: SIDECAR.files.map((file) => ({ ...file, cut: true as const })) };
  assertThrows(() => ofSidecar(cut, "", NO_OPTIONS), UsageError, "is too long");
});

liveTest(
  { needs: ["qemu-img"] },
  "corpus add records an image with its rule and verdicts, and not with a wrong verdict",
  async (directory) => {
    const images = `${directory}/images`;
    Deno.mkdirSync(images);
    Deno.writeFileSync(`${directory}/bad.img`, bytesOf(BROKEN));
    const peers = [new QemuImgPeer()];
    const tools = () => Promise.resolve({ peers, cryptsetup: undefined, luksde: undefined });
    const args = [`${directory}/bad.img`, "--name", "bad", "--flag", "wrong-data"];
    const wrong = await add([...args, "--verdict", "must-accept"], { images, tools });
    assertEquals([wrong, recordNames(images)], [1, []]);
    assertEquals(await add([...args, "--verdict", "must-reject"], { images, tools }), 0);
    assertEquals(recordNames(images), ["added.bad"]);
    const image = readImage(images, "added.bad");
    const { features, flags, shows = "", expected } = image.record;
    assertEquals([features, flags], [["qcow2.l2e.aligned", "breaks"], ["wrong-data"]]);
    assert(shows.includes("A cluster is at a multiple of the cluster size."), shows);
    assertEquals(expected?.answers["digest"]?.verdict, "must-reject");
    assertEquals(await problemsOf(image), []);
  },
);
