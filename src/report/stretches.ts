import type { Claim, ClaimKind } from "../format/mod.ts";

/** What a stretch of a file is to an image. */
export type StretchKind =
  | ClaimKind
  /** Nothing leads to it. */
  | "unused"
  /** Several things lead to it that cannot all be right. */
  | "conflict";

/** A stretch of a file to which the same things lead from end to end. */
export interface Stretch {
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  readonly kind: StretchKind;
  /** How many claims there are to it. */
  readonly count: number;
  /** The first few of them. */
  readonly claims: readonly Claim[];
}

/** Claims that are named of a stretch. */
const NAMED_MAX = 4;

/**
 * Cuts a file into stretches by what claims them, in order and without gaps from 0 to its end, and on
 * to the end of the last claim where that lies behind the file.
 *
 * Guest data may be claimed several times, as snapshots do; everything else has one use alone.
 *
 * @param size of the file in bytes
 */
export function stretchesOf(claims: readonly Claim[], size: number): Stretch[] {
  const sweep = new Sweep();
  for (const { at, claim, starts } of edgesOf(claims, size)) {
    // Behind the end of the file, what nothing leads to is nothing.
    sweep.moveTo(sweep.isIdle ? Math.min(at, size) : at);
    sweep.skipTo(at);
    if (starts) sweep.enter(claim);
    else sweep.leave(claim);
  }
  sweep.moveTo(size);
  return sweep.stretches;
}

/** Goes through a file from its start, with the claims to the place where it is. */
class Sweep {
  readonly stretches: Stretch[] = [];
  readonly #active = new Set<Claim>();
  readonly #counts = new Map<ClaimKind, number>();
  #from = 0;

  get isIdle(): boolean {
    return this.#active.size === 0;
  }

  /** Ends a stretch here, where there is one. */
  moveTo(to: number): void {
    if (to <= this.#from) return;
    const claims: Claim[] = [];
    for (const claim of this.#active) {
      if (claims.length === NAMED_MAX) break;
      claims.push(claim);
    }
    const place = { offset: this.#from, length: to - this.#from };
    this.stretches.push({ ...place, kind: this.#kind(), count: this.#active.size, claims });
    this.#from = to;
  }

  skipTo(to: number): void {
    this.#from = Math.max(this.#from, to);
  }

  enter(claim: Claim): void {
    this.#active.add(claim);
    this.#counts.set(claim.kind, (this.#counts.get(claim.kind) ?? 0) + 1);
  }

  leave(claim: Claim): void {
    this.#active.delete(claim);
    const left = (this.#counts.get(claim.kind) ?? 0) - 1;
    if (left > 0) this.#counts.set(claim.kind, left);
    else this.#counts.delete(claim.kind);
  }

  #kind(): StretchKind {
    const [kind, other] = this.#counts.keys();
    if (kind === undefined) return "unused";
    const sharable = kind === "data" || kind === "compressed";
    return other !== undefined || this.#active.size > 1 && !sharable ? "conflict" : kind;
  }
}

interface Edge {
  readonly at: number;
  readonly claim: Claim;
  readonly starts: boolean;
}

/** Where claims start and end. One that starts in the file ends with it at the latest. */
function edgesOf(claims: readonly Claim[], size: number): Edge[] {
  const edges = claims.flatMap((claim): Edge[] => {
    const end = claim.offset + claim.length;
    const last = claim.offset < size ? Math.min(end, size) : end;
    return [{ at: claim.offset, claim, starts: true }, { at: last, claim, starts: false }];
  });
  return edges.sort((a, b) => a.at - b.at);
}
