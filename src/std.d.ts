/**
 * Types of the parts of the Deno standard library that diskproof uses.
 *
 * The npm republication of the library carries no declarations of its own. Projects that map the
 * `@std/…` names to JSR instead get the real ones and can delete this file together with its entry
 * under `compilerOptions.types`.
 */

declare module "@std/assert" {
  /** Throws unless `expr` is truthy. */
  export function assert(expr: unknown, msg?: string): asserts expr;
  /** Throws unless the two values are deeply equal. */
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  /** Throws when the two values are deeply equal. */
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  /** Throws unless the two values are the same under `Object.is`. */
  export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): void;
  /** Throws unless `actual` contains `expected`. */
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  /** Throws unless `actual` matches `expected`. */
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  /** Throws unless `actual > expected`. */
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  /** Throws unless `actual <= expected`. */
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  /** Throws unless `fn` throws; gives the error back. */
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  /** Throws unless `fn` throws an `ErrorClass` whose message includes `msgIncludes`. */
  export function assertThrows<E extends Error>(
    fn: () => unknown,
    // deno-lint-ignore no-explicit-any
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): E;
  /** Rejects unless `fn` rejects with an `ErrorClass` whose message includes `msgIncludes`. */
  export function assertRejects<E extends Error>(
    fn: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  /** Always throws. */
  export function fail(msg?: string): never;
}

declare module "@std/cli" {
  /** What `parseArgs` is told of the options. */
  export interface ParseOptions {
    boolean?: readonly string[];
    string?: readonly string[];
    collect?: readonly string[];
    alias?: Readonly<Record<string, string | readonly string[]>>;
    default?: Readonly<Record<string, unknown>>;
    stopEarly?: boolean;
    "--"?: boolean;
    /** Called for every option that was not declared; `false` leaves it out. */
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }
  /** The options by name, and the positional arguments under `_`. */
  export function parseArgs(
    args: readonly string[],
    options?: ParseOptions,
  ): { _: (string | number)[]; "--"?: string[]; [option: string]: unknown };
}

declare module "@std/streams" {
  /** A transform from text in arbitrary chunks to lines without their ends. */
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
  /** Reads a stream of bytes to its end. */
  export function toBytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array>;
  /** Reads a stream to its end as text. */
  export function toText(stream: ReadableStream<Uint8Array | string>): Promise<string>;
}
