import { assert, assertEquals } from "@std/assert";
import type { ByteSource } from "../../src/bytes/mod.ts";
import { catalogue } from "../../src/formats.ts";
import { type Opening, refuses, ruleOf } from "../../src/rules/mod.ts";
import { differences } from "./compare.ts";
import { alone, infoOf, run, succeed, writeImage } from "./live.ts";
import { brokenRules, openQcow } from "./ours.ts";
import { brokenImage, keptImage, qcow1Cases, showsOf } from "../../corpus/cases/mod.ts";
import { liveTest, QEMU } from "../live.ts";

/** Rules about what is done to an image: `operations_test.ts` has them. */
const OF_OPERATIONS = [
  "qcow1.check.unsupported",
  "qcow1.write.sector-aligned",
  "qcow1.write.partial-compressed",
  "qcow1.create.size-nonzero",
];
const NO_CHECKER = 63;

const pairs = qcow1Cases.map((of) => ({
  rule: of.rule,
  shows: showsOf(of),
  isCostly: of.live?.not !== undefined,
  images: () => ({ broken: brokenImage(of).image, kept: keptImage(of).image }),
}));

for (const { rule, shows, images } of pairs) {
  Deno.test(`judge() finds ${rule} when ${shows}`, () => {
    const { broken, kept } = images();
    assert(brokenRules(broken).includes(rule), `${brokenRules(broken)}`);
    assert(!brokenRules(kept).includes(rule), `${brokenRules(kept)}`);
  });
}

Deno.test("every rule of qcow version 1 has a pair of images or is one of an operation", () => {
  const rules = catalogue.map(({ id }) => id).filter((id) => id.startsWith("qcow1."));
  const tested = new Set<string>([...pairs.map(({ rule }) => rule), ...OF_OPERATIONS]);
  assertEquals(rules.filter((id) => !tested.has(id)), []);
});

/** Whether qemu opens an image in each of the ways in which it does that. */
async function refusals(path: string): Promise<Record<Opening, boolean>> {
  const info = await run(["qemu-img", "info", "-f", "qcow", path]);
  const read = await run(["qemu-io", "-r", "-c", "quit", alone(path)]);
  const write = await run(["qemu-io", "-c", "quit", alone(path)]);
  const check = await run(["qemu-img", "check", alone(path)]);
  return {
    info: info.code !== 0,
    read: read.code !== 0,
    write: write.code !== 0,
    check: check.code !== NO_CHECKER,
  };
}

function predictedRefusals(source: ByteSource): Record<Opening, boolean> {
  const { findings } = openQcow(source);
  const refused = (opening: Opening) => findings.refusal(opening) !== undefined;
  return {
    info: refused("info"),
    read: refused("read"),
    write: refused("write"),
    check: refused("check"),
  };
}

for (const { rule, shows, images } of pairs.filter(({ isCostly }) => isCostly)) {
  liveTest(
    { needs: QEMU },
    `qemu-img info does what ${rule} says when ${shows}`,
    async (directory) => {
      const { broken, kept } = images();
      await writeImage(`${directory}/broken`, broken);
      await writeImage(`${directory}/kept`, kept);
      assertEquals(await infoOf(`${directory}/broken`), undefined);
      const report = await infoOf(`${directory}/kept`);
      assertEquals(report?.["virtual-size"], openQcow(kept).layer?.virtualSize);
    },
  );
}

for (const { rule, shows, images } of pairs.filter(({ isCostly }) => !isCostly)) {
  liveTest({ needs: QEMU }, `qemu-img does what ${rule} says when ${shows}`, async (directory) => {
    const { broken, kept } = images();
    const version = /version (\S+)/.exec(await succeed(["qemu-img", "--version"]))?.[1] ?? "";
    for (const [name, source] of [["broken", broken], ["kept", kept]] as const) {
      const path = `${directory}/${name}`;
      assertEquals(await differences(source, { path, version }), [], name);
      await writeImage(path, source);
      assertEquals(await refusals(path), predictedRefusals(source), name);
    }
    const expected = ruleOf(rule);
    const refused = await refusals(`${directory}/broken`);
    for (const opening of ["info", "read", "check", "write"] as const) {
      if (refuses(expected, opening)) assert(refused[opening], opening);
    }
  });
}
