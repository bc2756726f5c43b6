/** Clusters in one page of counts: a file may be long and sparse. */
const PAGE = 2 ** 12;
/** Number of pages beyond those that the file's stored bytes allow. */
const PAGES_MIN = 256;
/** Stored bytes for one page: pages take no more than twice the file, even if all are wide. */
const BYTES_PER_PAGE = 4 * PAGE / 2;
/** A page with a larger count becomes a wide one. */
const NARROW_MAX = 2 ** 16 - 1;
/** Larger counts are kept apart: no real image has one. */
const COUNT_MAX = 2 ** 32 - 1;

/** The counts of adjacent clusters. */
type Page = Uint16Array | Uint32Array;

/** A page of scattered counts. */
const NO_COUNTS = new Uint16Array(0);

/** Counts of references by host cluster, in memory that the stored bytes of the file bound. */
export class ClusterCounts {
  /** Pages of counts by their number; one without a reference is absent, and `scattered` ones are empty. */
  readonly #pages = new Map<number, Page>();
  /** Their numbers in order, once they are needed. */
  #ordered = new Float64Array();
  #pagesLeft: number;
  /** Counts of clusters that are scattered over too many pages. */
  readonly #scattered = new CountTable();
  /** Their clusters in order, once they are needed. */
  #sorted: Uint32Array | undefined;
  readonly #large = new Map<number, number>();
  /** A range of clusters that are known to have no count; the end is exclusive. */
  #gapFrom = 0;
  #gapTo = 0;
  /** The most recently used page. */
  #number = -1;
  #page: Page | undefined;

  /** @param stored number of bytes that are stored of the file */
  constructor(stored: number) {
    this.#pagesLeft = PAGES_MIN + Math.floor(stored / BYTES_PER_PAGE);
  }

  get(cluster: number): number {
    const page = this.#pageOf(cluster);
    if (page === undefined) return 0;
    const count = page.length > 0 ? page[cluster % PAGE] as number : this.#scattered.get(cluster);
    return count === COUNT_MAX ? this.#large.get(cluster) ?? count : count;
  }

  set(cluster: number, count: number): void {
    this.#gapTo = 0;
    const page = this.#pageOf(cluster) ?? this.#newPage();
    const stored = Math.min(count, COUNT_MAX);
    if (stored < count) this.#large.set(cluster, count);
    if (page.length > 0) {
      const isWide = stored <= NARROW_MAX || page instanceof Uint32Array;
      (isWide ? page : this.#widen(page))[cluster % PAGE] = stored;
    } else {
      this.#scattered.set(cluster, stored);
      this.#sorted = undefined;
    }
  }

  /**
   * Adds `times` to the counts of clusters from `cluster` on, up to the first one whose count would be
   * more than `max`, and no further than counts are stored together.
   *
   * @returns how many clusters were counted; it may be 0
   */
  addRun(cluster: number, length: number, { times, max }: { times: number; max: number }): number {
    this.#gapTo = 0;
    const page = this.#pageOf(cluster) ?? this.#newPage();
    const most = Math.min(max, NARROW_MAX) - times;
    const first = cluster % PAGE;
    const end = Math.min(page.length, first + length);
    let at = first;
    for (; at < end && (page[at] as number) <= most; at++) page[at] = (page[at] as number) + times;
    return Math.max(0, at - first);
  }

  /**
   * The number of clusters from `cluster` on that are known to have its count.
   *
   * @param most at least 1; no more of them are compared
   */
  same(cluster: number, most = Infinity): number {
    const page = this.#pageOf(cluster) ?? NO_COUNTS;
    const first = cluster % PAGE;
    const count = page[first];
    // Larger counts are kept apart, and may differ.
    if (count === COUNT_MAX) return 1;
    const end = Math.min(page.length, first + most);
    let at = first + 1;
    while (at < end && page[at] === count) at++;
    return at - first;
  }

  /** The first cluster in `[from, end)` that may have a count; `end` if there is none. */
  next(from: number, end: number): number {
    const isInGap = from >= this.#gapFrom && from < this.#gapTo;
    const next = this.#search(isInGap ? Math.min(this.#gapTo, end) : from, end);
    if (!isInGap) this.#gapFrom = from;
    this.#gapTo = next;
    return next;
  }

  #search(from: number, end: number): number {
    let at = from;
    while (at < end) {
      const page = this.#nextPage(Math.floor(at / PAGE));
      at = Math.max(at, page * PAGE);
      const counts = this.#pages.get(page);
      if (counts === undefined) return end;
      if (counts.length === 0) return Math.min(end, this.#nextScattered(at, page));
      const first = page * PAGE;
      const last = Math.min(end - first, PAGE);
      let within = at - first;
      while (within < last && counts[within] === 0) within++;
      if (within < last) return first + within;
      at = first + last;
    }
    return end;
  }

  /** The first page from `from` on; infinity if there is none. */
  #nextPage(from: number): number {
    if (this.#pages.has(from)) return from;
    // Pages are made before they are read in order.
    if (this.#ordered.length !== this.#pages.size) {
      this.#ordered = Float64Array.from(this.#pages.keys()).sort();
    }
    return this.#ordered[lowerBound(this.#ordered, from)] ?? Infinity;
  }

  /** The first scattered cluster from `from` on, or the first one of the next page. */
  #nextScattered(from: number, page: number): number {
    this.#sorted ??= this.#scattered.keys();
    const next = this.#sorted[lowerBound(this.#sorted, from)] ?? Infinity;
    return Math.min(next, (page + 1) * PAGE);
  }

  #pageOf(cluster: number): Page | undefined {
    const number = Math.floor(cluster / PAGE);
    if (number !== this.#number) {
      this.#number = number;
      this.#page = this.#pages.get(number);
    }
    return this.#page;
  }

  /** A new page in the place where `#pageOf` found none. */
  #newPage(): Page {
    const page = this.#pagesLeft > 0 ? new Uint16Array(PAGE) : NO_COUNTS;
    this.#pagesLeft--;
    return this.#use(page);
  }

  #widen(page: Page): Page {
    return this.#use(Uint32Array.from(page));
  }

  #use(page: Page): Page {
    this.#pages.set(this.#number, page);
    this.#page = page;
    return page;
  }
}

/** The index of the first of ordered values that is at least `from`; their number if none is. */
function lowerBound(values: ArrayLike<number>, from: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

const SLOTS_FIRST = 64;

/** Counts by cluster in open addressing. */
class CountTable {
  /** Alternating clusters, plus one, and counts; clusters are below 2^31. */
  #slots = new Uint32Array(2 * SLOTS_FIRST);
  #size = 0;

  get(cluster: number): number {
    return this.#slots[slotOf(this.#slots, cluster) + 1] as number;
  }

  set(cluster: number, count: number): void {
    let at = slotOf(this.#slots, cluster);
    if (this.#slots[at] === 0) {
      if (4 * ++this.#size > 3 * (this.#slots.length / 2)) {
        this.#grow();
        at = slotOf(this.#slots, cluster);
      }
      this.#slots[at] = cluster + 1;
    }
    this.#slots[at + 1] = count;
  }

  /** The clusters in order. */
  keys(): Uint32Array {
    const keys = new Uint32Array(this.#size);
    let count = 0;
    for (let at = 0; at < this.#slots.length; at += 2) {
      const key = this.#slots[at] as number;
      if (key !== 0) keys[count++] = key - 1;
    }
    return keys.sort();
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    for (let from = 0; from < this.#slots.length; from += 2) {
      const key = this.#slots[from] as number;
      if (key !== 0) slots.set(this.#slots.subarray(from, from + 2), slotOf(slots, key - 1));
    }
    this.#slots = slots;
  }
}

/** Index of the slot of a cluster, or of the empty one for it. */
function slotOf(slots: Uint32Array, cluster: number): number {
  const mask = slots.length / 2 - 1;
  const hash = Math.imul(cluster, 0x9e3779b1);
  for (let slot = (hash ^ hash >>> 15) & mask;; slot = (slot + 1) & mask) {
    const key = slots[2 * slot];
    if (key === cluster + 1 || key === 0) return 2 * slot;
  }
}
