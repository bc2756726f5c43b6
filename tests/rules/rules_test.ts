import { assert, assertEquals, assertMatch } from "@std/assert";
import { withScratch } from "../../src/peers/mod.ts";
import {
  blockCases,
  brokenImage,
  type Case,
  type CaseImage,
  keptImage,
  type Live,
  qcow2Cases,
  type Question,
  showsOf,
} from "../../corpus/cases/mod.ts";
import { catalogue, foreignFormats } from "../../src/formats.ts";
import { liveTest, QEMU } from "../live.ts";
import { assertRule, isComparable, type Judged, judged } from "./judged.ts";
import { type Answers, askQemu, probedFormat, writeCase, writeRefused } from "./live.ts";
import { operations } from "./operation_cases.ts";

const cases = [...qcow2Cases, ...blockCases];

for (const of of cases) {
  Deno.test(`judge() finds ${of.rule}: ${showsOf(of)}`, async () => {
    const broken = await judged(brokenImage(of));
    const kept = await judged(keptImage(of));
    assertRule(of, broken, kept);
  });
}

for (const of of cases) {
  const name = `qemu does what ${of.rule} says: ${showsOf(of)}`;
  liveTest({ needs: QEMU }, name, () => assertLive(of));
}
for (const { rule, about, run } of operations) {
  liveTest({ needs: QEMU }, `qemu does what ${rule} says: ${about}`, run);
}

/** Queries qemu for both images of a case, at the same time. */
async function assertLive(of: Case): Promise<void> {
  const both = [brokenImage(of), keptImage(of)] as const;
  if (of.probed) return await assertProbed(both);
  const { live = {} } = of;
  const skipped = live.not?.questions ?? [];
  const [broken, kept] = await Promise.all([
    asJudged(both[0], { live, skipped: live.not?.of === "kept" ? [] : skipped }),
    asJudged(both[1], { live: {}, skipped }),
  ]);
  assertWarning(of, broken, kept);
  if (live.writes !== undefined) await assertWrites(live, both, live.writes);
}

const QUESTIONS: readonly Question[] = ["info", "read", "check", "content", "write"];

/** The formats that the judge names as qemu does. */
const KNOWN = ["raw", "qcow", "qcow2", ...foreignFormats.map(({ name }) => name)];

async function assertProbed(images: readonly CaseImage[]): Promise<void> {
  for (const image of images) {
    const { format } = await judged(image);
    const theirs = await withScratch(async (directory) => {
      await writeCase(directory, image);
      return await probedFormat(directory);
    });
    if (theirs === undefined || KNOWN.includes(theirs)) assertEquals(format, theirs);
  }
}

/** Queries qemu for an image and asserts that its answers are those that follow from the judgement. */
async function asJudged(
  image: CaseImage,
  { live, skipped }: { live: Live; skipped: readonly Question[] },
): Promise<Answers> {
  const expected = await judged(image);
  const questions = QUESTIONS.filter((question) =>
    !skipped.includes(question) && (question !== "content" || isComparable(expected))
  );
  return await withScratch(async (directory) => {
    await writeCase(directory, image);
    const answers = await askQemu(directory, questions, live);
    assertEquals(answers, answersOf(expected, { questions, said: answers.said }));
    return answers;
  });
}

function answersOf(
  { refused, qemu, digest }: Judged,
  { questions, said }: Pick<Answers, "said"> & { questions: readonly Question[] },
): Answers {
  const openings = (["info", "read", "write"] as const).filter((opening) =>
    questions.includes(opening)
  );
  return {
    refused: Object.fromEntries(openings.map((opening) => [opening, refused[opening]])),
    said,
    ...(questions.includes("check") ? { check: qemu.check } : {}),
    ...(questions.includes("content") ? { content: digest ?? null } : {}),
  };
}

function assertWarning({ live }: Case, broken: Answers, kept: Answers): void {
  if (live?.warns === undefined) return;
  const { at, says } = live.warns;
  assertMatch(broken.said[at], says);
  assert(!says.test(kept.said[at]), `qemu says of the other one: ${kept.said[at]}`);
}

/** A write that breaks the rule is rejected and marks the image; the other one is not. */
async function assertWrites(
  live: Live,
  images: readonly [CaseImage, CaseImage],
  command: string,
): Promise<void> {
  const [broken, kept] = await Promise.all(images.map((image) =>
    withScratch(async (directory) => {
      await writeCase(directory, image);
      return await writeRefused(directory, command, live);
    })
  ));
  assertEquals(broken, { refused: true, marked: true });
  assertEquals(kept, { refused: false, marked: false });
}

Deno.test("every rule of qcow2 and of the block layer has a case or an operation", () => {
  const tested = new Set<string>([...cases, ...operations].map(({ rule }) => rule));
  const scope = catalogue.filter(({ id }) => /^(qcow2|blk)\./.test(id));
  assertEquals(scope.map(({ id }) => id).filter((id) => !tested.has(id)), []);
});

Deno.test("every rule cites its source", () => {
  for (const { id, section } of catalogue) assert(section.trim() !== "", id);
});
