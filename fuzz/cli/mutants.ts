import type * as fc from "fast-check";
import { UsageError } from "../../src/cli/mod.ts";
import { caseAt } from "../engine/mod.ts";
import { type Kit, type Mutant, mutantOf } from "../formats/mod.ts";

/** The longest image that is read or written, in bytes. */
export const MUTANT_BYTES_MAX: number = 64 * 2 ** 20;

/** Which mutant of an image a fuzzer wants. */
export interface MutantOrder {
  readonly seed: number;
  /** Counts the results of one request. */
  readonly index: number;
  /** The longest result in bytes. */
  readonly sizeMax: number;
}

/** The width of a number in bytes. */
const NUMBER = 4;
/** The numbers in front of an image: seed, count, largest length, length. */
const HEAD = 4 * NUMBER;
const COUNT_MAX = 65536;

/** Makes mutants of images of some formats. The same bytes and order give the same mutant. */
export function mutants(
  kits: readonly Kit[],
): (bytes: Uint8Array, order: MutantOrder) => Mutant {
  return (bytes, { seed, index, sizeMax }) => {
    let drawn = 0;
    const draw = <T>(values: fc.Arbitrary<T>): T =>
      caseAt(values, { seed, target: `mutate ${drawn++}` }, index).value;
    return mutantOf(bytes, { kits, draw, sizeMax });
  };
}

/** The two ends of a pipe to a fuzzer. */
export interface MutantPipe {
  readonly input: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly output: WritableStream<Uint8Array>;
}

/**
 * Answers requests for mutants until the input ends. `mutate --help` describes the protocol.
 *
 * @param bytesMax the longest image
 * @throws {UsageError} for a malformed request
 */
export async function serveMutants(
  pipe: MutantPipe,
  bytesMax: number,
  mutant: (bytes: Uint8Array, order: MutantOrder) => Uint8Array,
): Promise<void> {
  const input = new ExactReader(pipe.input);
  const output = pipe.output.getWriter();
  for (let head = await input.read(HEAD); head !== undefined; head = await input.read(HEAD)) {
    const [seed = 0, count = 0, sizeMax = 0, length = 0] = numbersIn(head);
    if (count > COUNT_MAX) throw malformed(`${count} results, at most ${COUNT_MAX} are possible`);
    if (length > bytesMax) throw malformed(`an image of ${length} bytes, at most ${bytesMax}`);
    const bytes = await input.read(length);
    if (bytes === undefined) throw malformed("the image is missing");
    for (let index = 0; index < count; index++) {
      const result = mutant(bytes, { seed, index, sizeMax: Math.min(sizeMax, bytesMax) });
      const answer = new Uint8Array(NUMBER + result.length);
      new DataView(answer.buffer).setUint32(0, result.length);
      answer.set(result, NUMBER);
      try {
        await output.write(answer);
      } catch {
        // The fuzzer has ended.
        return;
      }
    }
  }
}

function malformed(why: string): UsageError {
  return new UsageError(`Cannot answer a request on standard input: ${why}`);
}

function numbersIn(head: Uint8Array): number[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return Array.from({ length: HEAD / NUMBER }, (_, index) => view.getUint32(index * NUMBER));
}

/** Reads a stream in pieces of given lengths. */
class ExactReader {
  readonly #chunks: AsyncIterator<Uint8Array<ArrayBuffer>>;
  #rest = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /**
   * @returns `undefined` at the end of the stream
   * @throws {UsageError} if the stream ends within the piece
   */
  async read(length: number): Promise<Uint8Array | undefined> {
    const pieces = [this.#rest];
    let size = this.#rest.length;
    while (size < length) {
      const { done, value } = await this.#chunks.next();
      if (done === true) {
        if (size === 0) return undefined;
        throw malformed(`${length} bytes were expected, ${size} came`);
      }
      pieces.push(value);
      size += value.length;
    }
    const all = pieces.length === 1 ? this.#rest : joined(pieces, size);
    this.#rest = all.slice(length);
    return all.slice(0, length);
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
