/** After minimising, every edit and every part of a model that is left is needed. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { drops } from "../../../fuzz/engine/drops.ts";
import {
  type Attempt,
  attempt,
  type Fault,
  isFault,
  sameFault,
} from "../../../fuzz/engine/fault.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import { shrink } from "../../../fuzz/engine/shrink.ts";
import { type CaseReport, Failure, type Target } from "../../../fuzz/engine/target.ts";
import { chains } from "../../../fuzz/formats/chain/mod.ts";
import { luks1 } from "../../../fuzz/formats/luks1/mod.ts";
import { luks2 } from "../../../fuzz/formats/luks2/mod.ts";
import { qcow1 } from "../../../fuzz/formats/qcow1/mod.ts";
import { qcow2 } from "../../../fuzz/formats/qcow2/mod.ts";
import { open } from "../../../fuzz/targets/open.ts";
import { roundtrip } from "../../../fuzz/targets/roundtrip.ts";
import type { Json } from "../../../src/format/mod.ts";

const context = { directory: "", tools: {} };
const CASES_MAX = 3000;

/** A target that fails on purpose: where the image of a case breaks a rule. */
function planted<Case>(target: Target<Case>, rule: string): Target {
  const run = (value: Case): CaseReport => {
    const report = target.run(value, context) as CaseReport;
    const broken = [report, ...report.more ?? []].some(({ rules }) => rules.includes(rule));
    if (broken) throw new Failure(`planted.${rule}`, `It breaks ${rule}`);
    return report;
  };
  return { ...target, run } as Target;
}

/** A target that fails on purpose, and which of its failures is meant. */
interface Planted {
  readonly target: Target;
  readonly signature: string;
}

function broken<Case>(target: Target<Case>, rule: string): Planted {
  return { target: planted(target, rule), signature: `planted.${rule}` };
}

const failures: readonly Planted[] = [
  broken(open(qcow1), "qcow1.l2e.sector-aligned"),
  broken(open(qcow2), "qcow2.snap.l1-valid"),
  broken(open(qcow2), "qcow2.l2e.aligned"),
  broken(open(luks1), "luks.slot.stripes"),
  broken(open(luks2), "luks2.digest.references"),
  broken(roundtrip(chains), "blk.backing.short"),
];

for (const { target, signature } of failures) {
  Deno.test(`${target.name}: every part of the smallest case of ${signature} is needed`, async () => {
    const { value, fault } = await smallest(target, signature);
    for (const [part, less] of partsLess(target, value)) {
      const again = await attempt(target, less, context);
      assert(
        !isFault(again) || !sameFault(again, fault),
        `${part} is not needed: ${shown(target, value)}`,
      );
    }
  });
}

function shown(target: Target, value: unknown): string {
  return JSON.stringify(target.toJson(value));
}

/** The first case that fails in a way, made as small as possible. */
async function smallest(
  target: Target,
  signature: string,
): Promise<{ value: unknown; fault: Fault }> {
  const failing = await firstFailure(target, signature);
  const { value, fault, complete } = await shrink(
    { cases: target.cases(), drops: (value) => drops(target, value), ...failing, path: [] },
    {
      attempt: (candidate) => attempt(target, candidate, context),
      done: () => false,
      onCandidate: () => true,
    },
  );
  assert(complete);
  assertEquals(fault.signature, signature);
  return { value: value.value, fault };
}

async function firstFailure(
  target: Target,
  signature: string,
): Promise<{ value: fc.Value<unknown>; fault: Fault }> {
  const cases = target.cases();
  for (let index = 0; index < CASES_MAX; index++) {
    const value = caseAt(cases, { seed: 1, target: target.name }, index);
    const result: Attempt = await attempt(target, value.value, context);
    if (isFault(result) && result.signature === signature) return { value, fault: result };
  }
  throw new Error(`no case in ${CASES_MAX} fails with ${signature}`);
}

/**
 * The cases with one element of a list or one member of an object less, at any depth, that are smaller;
 * each with the name of the part. Written apart from the engine, which is to be tested.
 */
function* partsLess(target: Target, value: unknown): Generator<[part: string, less: unknown]> {
  const size = shown(target, value).length;
  for (const [part, json] of less(target.toJson(value))) {
    let smaller: unknown;
    try {
      smaller = target.fromJson(json);
      smaller = target.repair?.(smaller) ?? smaller;
    } catch {
      // It is no case without that part.
      continue;
    }
    if (shown(target, smaller).length < size) yield [part, smaller];
  }
}

function* less(json: Json): Generator<[part: string, json: Json]> {
  if (typeof json !== "object" || json === null) return;
  if (Array.isArray(json)) {
    for (const [index, element] of json.entries()) {
      yield [`/${index}`, json.toSpliced(index, 1)];
      for (const [part, inner] of less(element)) {
        yield [`/${index}${part}`, json.with(index, inner)];
      }
    }
    return;
  }
  const object = json as { readonly [name: string]: Json };
  for (const [name, member] of Object.entries(object)) {
    const { [name]: _, ...rest } = object;
    yield [`/${name}`, rest];
    for (const [part, inner] of less(member)) {
      yield [`/${name}${part}`, { ...object, [name]: inner }];
    }
  }
}
