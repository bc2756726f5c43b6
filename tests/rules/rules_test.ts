import { assert, assertEquals, assertMatch } from "@std/assert";
import { withScratch } from "../../src/peers/mod.ts";
import { catalogue } from "../../src/formats.ts";
import { aboutRow, brokenImage, keptImage, type RowImage } from "./images.ts";
import { liveTest, QEMU } from "../live.ts";
import { assertRule, isComparable, type Judged, judged } from "./judged.ts";
import { type Answers, askQemu, probedFormat, writeRefused, writeRowImage } from "./live.ts";
import { operations } from "./operation_cases.ts";
import type { Live, Question, RuleRow } from "./row.ts";
import { rows } from "./rows.ts";

for (const row of rows) {
  Deno.test(`judge() finds ${row.rule}: ${aboutRow(row)}`, async () => {
    const broken = await judged(brokenImage(row));
    const kept = await judged(keptImage(row));
    assertRule(row, broken, kept);
  });
}

for (const row of rows) {
  const name = `qemu does what ${row.rule} says: ${aboutRow(row)}`;
  liveTest({ needs: QEMU }, name, () => assertLive(row));
}
for (const { rule, about, run } of operations) {
  liveTest({ needs: QEMU }, `qemu does what ${rule} says: ${about}`, run);
}

/** Asks qemu about both images of a row, at the same time. */
async function assertLive(row: RuleRow): Promise<void> {
  const both = [brokenImage(row), keptImage(row)] as const;
  if (row.probed) return await assertProbed(both);
  const { live = {} } = row;
  const skipped = live.not?.questions ?? [];
  const [broken, kept] = await Promise.all([
    asJudged(both[0], { live, skipped: live.not?.of === "kept" ? [] : skipped }),
    asJudged(both[1], { live: {}, skipped }),
  ]);
  assertWarning(row, broken, kept);
  if (live.writes !== undefined) await assertWrites(live, both, live.writes);
}

const QUESTIONS: readonly Question[] = ["info", "read", "check", "content", "write"];

/** The formats that the judge knows. */
const KNOWN = ["raw", "qcow", "qcow2"];

async function assertProbed(images: readonly RowImage[]): Promise<void> {
  for (const image of images) {
    const { format } = await judged(image);
    const theirs = await withScratch(async (directory) => {
      await writeRowImage(directory, image);
      return await probedFormat(directory);
    });
    if (theirs === undefined || KNOWN.includes(theirs)) assertEquals(format, theirs);
  }
}

/** Asks qemu about an image and asserts that its answers are those that follow from our judgement. */
async function asJudged(
  image: RowImage,
  { live, skipped }: { live: Live; skipped: readonly Question[] },
): Promise<Answers> {
  const expected = await judged(image);
  const questions = QUESTIONS.filter((question) =>
    !skipped.includes(question) && (question !== "content" || isComparable(expected))
  );
  return await withScratch(async (directory) => {
    await writeRowImage(directory, image);
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

function assertWarning({ live }: RuleRow, broken: Answers, kept: Answers): void {
  if (live?.warns === undefined) return;
  const { at, says } = live.warns;
  assertMatch(broken.said[at], says);
  assert(!says.test(kept.said[at]), `qemu says of the other one: ${kept.said[at]}`);
}

/** A write that breaks the rule is refused and marks the image; the other one is not. */
async function assertWrites(
  live: Live,
  images: readonly [RowImage, RowImage],
  command: string,
): Promise<void> {
  const [broken, kept] = await Promise.all(images.map((image) =>
    withScratch(async (directory) => {
      await writeRowImage(directory, image);
      return await writeRefused(directory, command, live);
    })
  ));
  assertEquals(broken, { refused: true, marked: true });
  assertEquals(kept, { refused: false, marked: false });
}

Deno.test("every rule of qcow2 and of the block layer has a row", () => {
  const tested = new Set<string>([...rows, ...operations].map(({ rule }) => rule));
  const scope = catalogue.filter(({ id }) => /^(qcow2|blk)\./.test(id));
  assertEquals(scope.map(({ id }) => id).filter((id) => !tested.has(id)), []);
});

Deno.test("every rule says where it stands", () => {
  for (const { id, section } of catalogue) assert(section.trim() !== "", id);
});
