import type { Anatomy, AnatomyOptions, Claim, ClaimKind, Part } from "./anatomy.ts";
import { type ClaimingTable, ClaimList, type EntriesClaim } from "./claims.ts";

/** A claim that an entry of a table makes. */
export interface EntryClaim {
  readonly table: ClaimingTable;
  readonly index: number;
  readonly offset: number;
  readonly length: number;
  readonly kind: ClaimKind;
}

/** Claims that are kept: an image whose clusters are in any order makes one for each. */
const CLAIMS_MAX = 2 ** 19;
/** Structures and tables that are listed: so many, and one more for as many bytes of the file. */
const PARTS_MAX = 2 ** 12;
const BYTES_PER_PART = 2 ** 10;

/** The file that is described. */
export interface DescribedFile {
  readonly size: number;
  /** The unit of allocation in bytes: what is claimed of one for a structure is claimed as a whole. */
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
  /** The claim of the entries that were added last, as long as they continue each other. */
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

  /** Adds the claim of a table entry. Neighbours that lie one behind the other become one claim. */
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

  /** Notes what is not listed. */
  gap(text: string): void {
    this.#gaps.add(text);
  }

  /** Notes what was not looked at, so that it is not known what it claims. */
  unknown(text: string): void {
    this.#complete = false;
    this.gap(text);
  }

  /** Whether so many entries more may be looked at; where not, that is noted. */
  spend(entries: number): boolean {
    const may = this.trySpending(entries);
    if (!may) this.unknown("The tables have more entries than were looked at");
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
      ...{ table, first: index, last: last.index },
      ...{ offset, length: end - offset, kind },
    };
    if (claim.length > 0 && this.#mayKeep()) this.#claims.addEntries(claim);
  }

  #mayKeep(): boolean {
    const may = this.#claims.length < CLAIMS_MAX;
    if (!may) this.unknown("Not all that is used of the file is shown");
    return may;
  }
}

function continues(last: EntryClaim, next: EntryClaim, end: number): boolean {
  if (last.table !== next.table || last.kind !== next.kind) return false;
  // Compressed data starts anywhere in the last sector of what is before it.
  if (next.kind === "compressed") return next.offset > last.offset && next.offset <= end;
  return next.offset === end;
}
