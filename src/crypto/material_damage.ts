import { type ByteSource, hex, SECTOR } from "../bytes/mod.ts";

/** A part of key material that no writer of LUKS has left: from a byte of the file to another. */
export interface MaterialDamage {
  /** What is there: `zero`. */
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** Bytes of one slot that are looked at. A key of 64 bytes has 256,000. */
const LENGTH_MAX = 2 ** 20;
/** Bytes that are read at a time: whole sectors. */
const CHUNK = 2 ** 16;
/** So many equal bytes in a row, in 512 random ones, have a probability below 2^-111. */
const RUN_MIN = 16;
/**
 * 512 random bytes have 221 different values on average. The probability of at most 160 is below
 * C(256, 160) * (160/256)^512, which is 2^-104.
 */
const VALUES_MAX = 160;
/** Printable ASCII, tabulator and ends of lines: random bytes are all of these with 2^-708. */
const TEXT = /^[\x20-\x7e\t\n\r]+$/;

/**
 * The parts of key material that are not random, sector by sector. Key material is encrypted, and every
 * byte of it is needed: a slot with such a part opens with no passphrase.
 *
 * A sector counts if all of its bytes are equal, if all are text, if it has at most 160 different
 * values, or 16 equal bytes in a row. For random bytes, that happens with a probability below 2^-103 in
 * a sector, and below 2^-89 in a volume with 32 slots of 500 sectors. Only key material that was made to
 * be sparse is not random and opens, as in the volumes that diskproof builds for tests.
 */
export function materialDamage(
  source: ByteSource,
  { offset, length }: { readonly offset: number; readonly length: number },
): MaterialDamage[] {
  const end = Math.min(offset + Math.min(length, LENGTH_MAX), source.size);
  const found: MaterialDamage[] = [];
  let chunk: Uint8Array = new Uint8Array();
  for (let from = offset; from + SECTOR <= end; from += SECTOR) {
    const at = (from - offset) % CHUNK;
    if (at === 0) chunk = source.read(from, Math.min(CHUNK, end - from));
    const what = whatIsIn(chunk, at);
    if (what === undefined) continue;
    const last = found.at(-1);
    const continues = last?.to === from && last.what === what;
    if (continues) found.pop();
    found.push({ what, from: continues ? last.from : from, to: from + SECTOR });
  }
  return found;
}

function whatIsIn(chunk: Uint8Array, from: number): string | undefined {
  const values = valuesIn(chunk, from);
  if (values > VALUES_MAX && longestRun(chunk, from) < RUN_MIN) return undefined;
  const sector = chunk.subarray(from, from + SECTOR);
  if (values === 1) {
    const [value = 0] = sector;
    return value === 0 ? "zero" : `filled with ${hex(value, 2)}`;
  }
  if (values <= VALUES_MAX && TEXT.test(String.fromCharCode(...sector))) return "text";
  return "not random";
}

/** Which values were met: made once, and not for each sector. */
const met = new Uint8Array(256);
/** Bytes that are counted together: without a branch for each of them, which cannot be predicted. */
const TOGETHER = 64;

/** The number of different bytes of a sector; if it is more than the most that counts, at least one more. */
function valuesIn(chunk: Uint8Array, from: number): number {
  met.fill(0);
  let values = 0;
  for (let at = from; at < from + SECTOR && values <= VALUES_MAX;) {
    for (const to = at + TOGETHER; at < to; at++) {
      const byte = chunk[at] as number;
      values += 1 - (met[byte] as number);
      met[byte] = 1;
    }
  }
  return values;
}

/** The length of the longest run of equal bytes in a sector, if it is long enough to count. */
function longestRun(chunk: Uint8Array, from: number): number {
  const to = from + SECTOR;
  let longest = 0;
  for (let at = from + RUN_MIN - 1; at < to;) {
    // A run that is long enough has a byte here, if none before this place was found.
    const byte = chunk[at] as number;
    let start = at;
    while (start > from && chunk[start - 1] === byte) start--;
    let end = at + 1;
    while (end < to && chunk[end] === byte) end++;
    longest = Math.max(longest, end - start);
    at = end + RUN_MIN - 1;
  }
  return longest;
}

/** Parts that are listed. */
const LISTED = 4;

/**
 * A sentence about damaged key material.
 *
 * @param base where the source starts in the file
 */
export function damageText(
  slot: number | string,
  damage: readonly MaterialDamage[],
  base = 0,
): string {
  const parts = damage.slice(0, LISTED).map(({ what, from, to }) =>
    `${what} from ${hex(base + from)} to ${hex(base + to)}`
  );
  const more = damage.length > LISTED ? [`damaged in ${damage.length - LISTED} more places`] : [];
  return `Key material of slot ${slot} is ${
    [...parts, ...more].join(", ")
  }: erased or overwritten; ` +
    "no passphrase can open it";
}
