import { fnv1a } from "../random.ts";
import type { CaseReport } from "../target.ts";

/** A feature of a case: a number made of its name, the same in every run. */
export type Feature = number;

/** Rules of one image of which the pairs are features: the number of pairs grows with its square. */
const PAIRED_MAX = 12;
/** Names whose numbers are remembered. */
const NAMES_MAX = 2 ** 16;
const UINT32 = 2 ** 32;
/** Bits of the first number of a pair. A feature is a safe integer. */
const FIRST_BITS = 20;

/**
 * The features of one image: the depth, each rule, each pair of rules, each divergence, and what the
 * target adds. An image that was skipped has none.
 */
export function featuresOf(
  { depth, rules, divergences = [], features = [], skipped }: CaseReport,
): Feature[] {
  if (skipped !== undefined) return [];
  const found = [numberOf(depth)];
  const broken = [...new Set(rules)].map(numberOf);
  found.push(...broken);
  for (const name of divergences) found.push(numberOf(name));
  for (const name of features) found.push(numberOf(name));
  if (broken.length <= PAIRED_MAX) addPairs(found, broken);
  return found;
}

/** The feature of a case that fails. */
export function failureFeature(name: string): Feature {
  return numberOf(`failure ${name}`);
}

function addPairs(found: Feature[], broken: number[]): void {
  broken.sort((a, b) => a - b);
  for (let i = 0; i < broken.length; i++) {
    const first = ((broken[i] as number) >>> (32 - FIRST_BITS)) + 1;
    for (let j = i + 1; j < broken.length; j++) found.push(first * UINT32 + (broken[j] as number));
  }
}

const numbers = new Map<string, number>();

/** FNV-1a of a name. */
function numberOf(name: string): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  const number = fnv1a(name);
  if (numbers.size >= NAMES_MAX) numbers.clear();
  numbers.set(name, number);
  return number;
}

/** A path without the numbers in it: `/l2[]/offset` of `/l2[0]/3/offset`. */
export function anyPath(path: string): string {
  const known = paths.get(path);
  if (known !== undefined) return known;
  const general = path.replaceAll(/\/\d+(?=\/|$)/g, "").replaceAll(/\[\d+\]/g, "[]");
  if (paths.size >= NAMES_MAX) paths.clear();
  paths.set(path, general);
  return general;
}

const paths = new Map<string, string>();
