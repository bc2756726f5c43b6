import type { Anatomy, AnatomyOptions, Claim, ClaimKind, Part } from "./anatomy.ts";
import { type ClaimingTable, ClaimList, type EntriesClaim } from "./claims.ts";

/** The claim of a table entry, or of several that follow each other and claim one range. */
export interface EntryClaim {
  readonly table: ClaimingTable;
  readonly index: number;
  /** Number of entries; 1 by default. */
  readonly count?: number;
  readonly offset: number;
  readonly length: number;
  readonly kind: ClaimKind;
}

/** Maximum number of claims: an image with shuffled clusters has one for each cluster. */
const CLAIMS_MAX = 2 ** 19;
/** Maximum number of listed structures and tables: this number plus one for each BYTES_PER_PART. */
const PARTS_MAX = 2 ** 12;
const BYTES_PER_PART = 2 ** 10;

/** The described file. */
export interface DescribedFile {
  readonly size: number;
  /** Unit of allocation in bytes: a structure claims whole units. */
  readonly unit?: number;
}

/** Collects the anatomy of an image, within bounds. */
export class AnatomyCollector {
  readonly options: AnatomyOptions;
  readonly #parts: Part[] = [];
  readonly #claims = new ClaimList();
  readonly #gaps = new Set<string>();
  readonly #unit: number;
  readonly #partsMax: number;
  #entriesLeft: number;
  #complete = true;
  /** The claim of the most recently added entries, while they are adjacent. */
  #run: { first: EntryClaim; last: EntryClaim; end: number } | undefined;

  constructor(options: AnatomyOptions, { size, unit = 1 }: DescribedFile) {
    this.options = options;
    this.#partsMax = PARTS_MAX + size / BYTES_PER_PART;
    this.#unit = unit;
    this.#entriesLeft = options.entries;
  }

  part(part: Omit<Part, "omitted"> & { readonly omitted?: number }): void {
    if (this.#parts.length < this.#partsMax) this.#parts.push({ omitted: 0, ...part });
    else this.gap("Not every structure is listed");
  }

  /** Adds the claim of a structure. */
  claim(claim: Claim): void {
    this.#closeRun();
    if (claim.length <= 0) return;
    const offset = Math.floor(claim.offset / this.#unit) * this.#unit;
    const end = Math.ceil((claim.offset + claim.length) / this.#unit) * this.#unit;
    if (this.#mayKeep()) this.#claims.add({ ...claim, offset, length: end - offset });
  }

  /** Adds the claim of a table entry. Adjacent claims are merged. */
  claimEntry(claim: EntryClaim): void {
    const run = this.#run;
    const end = claim.offset + claim.length;
    if (run !== undefined && continues(run.last, claim, run.end)) {
      this.#run = { first: run.first, last: claim, end: Math.max(run.end, end) };
      return;
    }
    this.#closeRun();
    this.#run = { first: claim, last: claim, end };
  }

  /** Records parts that are not listed. */
  gap(text: string): void {
    this.#gaps.add(text);
  }

  /** Records parts that were not inspected, so that their claims are unknown. */
  unknown(text: string): void {
    this.#complete = false;
    this.gap(text);
  }

  /** Whether this number of further entries may be inspected. If not, that is recorded. */
  spend(entries: number): boolean {
    const may = this.trySpending(entries);
    if (!may) this.unknown("Not all table entries were inspected");
    return may;
  }

  /** The same for entries that claim nothing. */
  trySpending(entries: number): boolean {
    if (entries > this.#entriesLeft) return false;
    this.#entriesLeft -= entries;
    return true;
  }

  done(): Anatomy {
    this.#closeRun();
    const complete = this.#complete;
    return { parts: this.#parts, claims: this.#claims, gaps: [...this.#gaps], complete };
  }

  #closeRun(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return;
    const { first: { table, index, offset, kind }, last, end } = run;
    const claim: EntriesClaim = {
      ...{ table, first: index, last: last.index + (last.count ?? 1) - 1 },
      ...{ offset, length: end - offset, kind },
    };
    if (claim.length > 0 && this.#mayKeep()) this.#claims.addEntries(claim);
  }

  #mayKeep(): boolean {
    const may = this.#claims.length < CLAIMS_MAX;
    if (!may) this.unknown("Not every used range of the file is shown");
    return may;
  }
}

function continues(last: EntryClaim, next: EntryClaim, end: number): boolean {
  if (last.table !== next.table || last.kind !== next.kind) return false;
  // Compressed data can start anywhere in the last sector of the data before it.
  if (next.kind === "compressed") return next.offset > last.offset && next.offset <= end;
  return next.offset === end;
}
