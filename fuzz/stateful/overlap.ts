import { Buffer } from "node:buffer";
import { SECTOR } from "../../src/bytes/mod.ts";
import { merged, type Range } from "../generate/mod.ts";
import { whole } from "./marks.ts";

/** A request for a range of a disk, with the times at which it was sent and answered. */
export interface TimedRequest {
  /** A discard leaves anything. */
  readonly do: "write" | "read" | "discard";
  readonly range: Range;
  /** What was written or read; a discard has none. */
  readonly bytes?: Uint8Array;
  /** Times by one clock; no two are the same. */
  readonly sent: number;
  readonly answered: number;
}

/** A sector whose content no order of the requests explains. */
export interface Contradiction<Request extends TimedRequest> {
  readonly range: Range;
  readonly requests: readonly Request[];
}

/** The most requests for one sector. */
const REQUESTS_MAX = 31;

/**
 * Looks for a sector that is not linearizable: there is no order of the requests for it in which each
 * read has the bytes of the last writes before it. A request that was answered before another one was
 * sent comes first. A request changes and reads its part of a sector at once; its sectors are
 * independent.
 *
 * @param before the content before all requests
 */
export function contradictionIn<Request extends TimedRequest>(
  before: (start: number, length: number) => Uint8Array,
  requests: readonly Request[],
): Contradiction<Request> | undefined {
  const parts = merged(requests.map(({ range }) => whole(range, SECTOR)), Infinity);
  for (const { start, end } of parts) {
    const bytes = before(start, end - start);
    for (let at = start; at < end; at += SECTOR) {
      const range = { start: at, end: at + SECTOR };
      const about = requests.filter((it) => it.range.start < range.end && at < it.range.end);
      const old = bytes.subarray(at - start, range.end - start);
      if (!hasOrder(partsOf(range, about, old))) return { range, requests: about };
    }
  }
  return undefined;
}

/** A request for a sector. Its cells are the parts of the sector that no request cuts. */
interface Part {
  readonly reads: boolean;
  readonly cells: readonly number[];
  readonly sent: number;
  readonly answered: number;
  /** Whether the part of a read in a cell is what a request wrote there; -1 is the old content. */
  fits(cell: number, writer: number): boolean;
}

function partsOf(
  { start, end }: Range,
  requests: readonly TimedRequest[],
  old: Uint8Array,
): readonly Part[] {
  const edges = requests.flatMap(({ range }) => [range.start, range.end]);
  const inside = edges.filter((it) => start < it && it < end);
  const cuts = [...new Set([start, ...inside, end])].sort((a, b) => a - b);
  const cells = cuts.slice(1).map((to, index) => ({ start: cuts[index] ?? start, end: to }));
  const first = { range: { start, end }, bytes: old };
  const has = ({ range }: { range: Range }, cell: Range) =>
    range.start <= cell.start && cell.end <= range.end;
  return requests.map((request) => ({
    reads: request.do === "read",
    cells: cells.flatMap((cell, index) => has(request, cell) ? [index] : []),
    sent: request.sent,
    answered: request.answered,
    fits(index, writer) {
      const cell = cells[index] ?? { start, end };
      const [read, written] = [request, requests[writer] ?? first].map(({ range, bytes }) =>
        bytes?.subarray(cell.start - range.start, cell.end - range.start)
      );
      return read === undefined || written === undefined || Buffer.compare(read, written) === 0;
    },
  }));
}

/** Whether the requests for a sector have an order that explains all reads. */
function hasOrder(parts: readonly Part[]): boolean {
  if (parts.length > REQUESTS_MAX) {
    throw new RangeError(`Cannot order ${parts.length} requests (at most ${REQUESTS_MAX})`);
  }
  const seen = new Set<string>();
  /** @param writers the last writer of each cell */
  const goesOn = (done: number, writers: readonly number[]): boolean => {
    const open = parts.map((part, index) => ({ part, index }))
      .filter(({ index }) => (done & (1 << index)) === 0);
    if (open.length === 0) return true;
    const state = `${done} ${writers.join(" ")}`;
    if (seen.has(state)) return false;
    seen.add(state);
    const answered = Math.min(...open.map(({ part }) => part.answered));
    const next = open.filter(({ part }) => part.sent < answered);
    // A read that fits may come now: it changes nothing for the others.
    const read = next.find(({ part }) =>
      part.reads && part.cells.every((cell) => part.fits(cell, writers[cell] ?? -1))
    );
    if (read !== undefined) return goesOn(done | (1 << read.index), writers);
    return next.some(({ part, index }) => {
      if (part.reads) return false;
      const after = [...writers];
      for (const cell of part.cells) after[cell] = index;
      return goesOn(done | (1 << index), after);
    });
  };
  const count = Math.max(0, ...parts.flatMap(({ cells }) => cells)) + 1;
  return goesOn(0, Array<number>(count).fill(-1));
}
