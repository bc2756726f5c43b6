/** Asks the installed qemu-img about qcow images, each time in a process of its own. */

import type { ByteSource } from "../../src/bytes/mod.ts";
import type { InfoReport, MapEntry } from "../../src/peers/mod.ts";

const TIMEOUT_MS = 60_000;
const PIECE = 2 ** 20;

/** How a tool ended and what it said. */
export interface Answer {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/**
 * Runs a tool to its end.
 *
 * @throws {Error} when it dies of a signal: no image may make it do that
 */
export async function run(
  [program = "", ...args]: readonly string[],
  options: { cwd?: string } = {},
): Promise<Answer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const result = await new Deno.Command(program, { args, signal, stdin: "null", ...options })
    .output();
  const stderr = new TextDecoder().decode(result.stderr);
  if (result.signal !== null) {
    throw new Error(`${program} ${args.join(" ")} died of ${result.signal}: ${stderr}`);
  }
  return { code: result.code, stdout: result.stdout, stderr };
}

/** Runs a tool that must succeed, and returns what it printed. */
export async function succeed(
  command: readonly string[],
  options: { cwd?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  const said = new TextDecoder().decode(stdout);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${said}${stderr}`);
  return said;
}

/** Writes an image into a file, in full. */
export async function writeImage(path: string, source: ByteSource): Promise<void> {
  const file = await Deno.open(path, { create: true, write: true, truncate: true });
  try {
    for (let at = 0; at < source.size; at += PIECE) {
      const piece = source.read(at, Math.min(PIECE, source.size - at));
      for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
    }
  } finally {
    file.close();
  }
}

/** A qcow image without its backing file, whose file name qemu-img is given. */
export function alone(path: string): string {
  const file = { driver: "file", filename: path };
  return `json:${JSON.stringify({ driver: "qcow", backing: null, file })}`;
}

/** The output of `info` for a qcow image; `undefined` if it rejects the image. */
export async function infoOf(path: string): Promise<InfoReport | undefined> {
  const { code, stdout } = await run(["qemu-img", "info", "--output=json", "-f", "qcow", path]);
  return code === 0 ? JSON.parse(new TextDecoder().decode(stdout)) : undefined;
}

/** The format that probing finds. */
export async function probedFormat(path: string): Promise<string | undefined> {
  const { code, stdout } = await run(["qemu-img", "info", "--output=json", path]);
  return code === 0 ? JSON.parse(new TextDecoder().decode(stdout)).format : undefined;
}

/** What `map` prints of an image without its backing file. */
export interface MapAnswer {
  readonly code: number;
  /** With code 1: the entries before the one at which it failed, except for the one before that. */
  readonly entries: readonly MapEntry[];
}

export async function mapOf(path: string): Promise<MapAnswer> {
  const { code, stdout } = await run(["qemu-img", "map", "--output=json", alone(path)]);
  const text = new TextDecoder().decode(stdout).trim();
  if (code === 0) return { code, entries: JSON.parse(text) };
  return { code, entries: text === "" ? [] : JSON.parse(`${text.replace(/,$/, "")}]`) };
}

/** Reads guest bytes of an image without its backing file; `undefined` when that fails. */
export async function readOf(
  path: string,
  range: { offset: number; length: number },
): Promise<Uint8Array | undefined> {
  const content = `${path}.content`;
  const source = {
    driver: "raw",
    offset: range.offset,
    size: range.length,
    file: { driver: "qcow", backing: null, file: { driver: "file", filename: path } },
  };
  const from = `json:${JSON.stringify(source)}`;
  const { code } = await run(["qemu-img", "convert", "-O", "raw", from, content]);
  return code === 0 ? await Deno.readFile(content) : undefined;
}
