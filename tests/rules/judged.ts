/** What the judge says about the images of a case, and what follows from it for qemu. */

import { assert, assertEquals } from "@std/assert";
import { judgeImage, type Judgement, openBytes, openImage } from "../../src/image/mod.ts";
import { withScratch } from "../../src/peers/mod.ts";
import {
  type Effect,
  type Opening,
  refuses,
  type Rule,
  type RuleId,
  ruleOf,
} from "../../src/rules/mod.ts";
import type { Case, CaseImage } from "../../corpus/cases/mod.ts";
import { IMAGE, writeCase } from "./live.ts";

/** Contents up to this size are read as a whole. */
const CONTENT_MAX = 4 << 20;

/** A judgement, with what the tests want of it at hand. */
export interface Judged extends Judgement {
  readonly rules: readonly RuleId[];
  readonly refused: Readonly<Record<Opening, boolean>>;
  readonly virtualSize: number | undefined;
}

/** Judges an image: from memory, or from its directory where there are files beside it. */
export async function judged(of: CaseImage): Promise<Judged> {
  const { image, files, format } = of;
  if (Object.keys(files).length === 0) return judgedAs(openBytes(image, format));
  return await withScratch(async (directory) => {
    await writeCase(directory, of);
    const named = format === undefined ? {} : { format };
    return judgedAs(openImage(`${directory}/${IMAGE}`, named));
  });
}

function judgedAs(image: ReturnType<typeof openImage>): Judged {
  try {
    const judgement = judgeImage(image, { digestUpTo: CONTENT_MAX });
    const rules = [...new Set(judgement.findings.map(({ rule }) => rule))];
    const refused = (opening: Opening): boolean =>
      rules.some((rule) => refuses(ruleOf(rule), opening));
    return {
      ...judgement,
      rules,
      refused: {
        info: refused("info"),
        read: refused("read"),
        check: refused("check"),
        write: refused("write"),
      },
      virtualSize: image.layer?.virtualSize,
    };
  } finally {
    image.close();
  }
}

/** Whether what can be read of the image is read and compared. */
export function isComparable({ refused, virtualSize }: Judged): boolean {
  return !refused.read && virtualSize !== undefined && virtualSize <= CONTENT_MAX;
}

/** Asserts that two images differ in a rule as the catalogue says that they do. */
export function assertRule(of: Case, broken: Judged, kept: Judged): void {
  const rule = ruleOf(of.rule);
  assert(broken.rules.includes(of.rule), `the broken image breaks only ${broken.rules}`);
  assertEquals([...kept.rules].sort(), [...of.leaves ?? []].sort(), "what the kept one breaks");
  for (const judgement of [broken, kept]) {
    const isKnown = judgement.findings.every(({ effect }) => effect !== "unknown");
    const refusals = judgement.findings.filter(({ rule }) => refuses(ruleOf(rule), "read"));
    const lacksKey = refusals.every(({ rule }) => rule.endsWith(".key-present"));
    const refused = lacksKey ? "needs-key" : "reject";
    const open = judgement.refused.read ? refused : isKnown ? "accept" : "unknown";
    assertEquals(judgement.qemu.open, open);
  }
  assertVerdict(rule, broken, kept);
  effects[rule.effect](rule, broken, kept);
}

function assertVerdict(rule: Rule, broken: Judged, kept: Judged): void {
  if (kept.rules.length === 0) {
    assertEquals(kept.spec.verdict, "valid");
    assertEquals(kept.qemu.open, "accept");
    assertEquals(kept.qemu.read, "ok");
    if (kept.format === "qcow2") {
      assertEquals(kept.qemu.check, { corruptions: 0, leaks: 0, "check-errors": 0 });
    }
  }
  if (rule.level !== "must") return;
  if (rule.class === "spec") assertEquals(broken.spec.verdict, "invalid");
  else assert(broken.spec.verdict !== "valid", "a limit is no part of a valid image");
}

type Assertion = (rule: Rule, broken: Judged, kept: Judged) => void;

/** What each effect says of `qemu.open`, `qemu.read` and `qemu.check`. */
const effects: Readonly<Record<Effect, Assertion>> = {
  "refused-at-open": (rule, { refused }) => {
    for (const opening of ["info", "read", "check", "write"] as const) {
      if (refuses(rule, opening)) assert(refused[opening], `${opening} opens the broken image`);
    }
  },
  "fails-at-access": (_, broken, kept) => {
    assertEquals(broken.qemu.read, "error");
    if (!kept.refused.read) assertEquals(kept.qemu.read, "ok");
  },
  "corruption": (_, { qemu }) => {
    assert((qemu.check?.corruptions ?? 0) > 0, "check counts no corruption");
  },
  "leak": (_, { qemu }) => {
    assert((qemu.check?.leaks ?? 0) > 0, "check counts no leak");
  },
  "check-error": (_, { refused, qemu }) => {
    assert(!refused.check, "check does not open the image");
    assert((qemu.check?.["check-errors"] ?? 1) > 0, "check counts no error");
  },
  "refused-at-write": (_, { refused }) => {
    assert(!refused.write, "the broken image does not open for writing");
  },
  "warning": assertOpens,
  "ignored": assertOpens,
  "unknown": (_, broken, kept) => {
    assertEquals([broken.qemu.open, broken.qemu.read], ["unknown", "unknown"]);
    assertEquals([kept.qemu.open, kept.qemu.read], ["accept", "ok"]);
  },
};

function assertOpens(_: Rule, broken: Judged, kept: Judged): void {
  // A volume without its passphrase is rejected only for that.
  if (kept.rules.includes("luks.open.key-present")) return;
  if (!broken.refused.read) assertEquals(kept.qemu.open, "accept");
}
