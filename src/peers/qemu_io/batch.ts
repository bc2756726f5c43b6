import { roundUp, SECTOR } from "../../bytes/mod.ts";
import { type BlockOptions, lackingKey } from "../qemu_img/options.ts";
import { jsonName } from "../qemu_img/names.ts";
import { accepted, type Outcome, rejected } from "../peer.ts";
import { malformed } from "../answers.ts";
import type { ExpectedFile } from "./expected.ts";
import { endWord, type Exchange } from "./process.ts";
import type { Content, Examination, Reading } from "./reading.ts";
import {
  type AllocationRun,
  endOutcome,
  NOTHING_OPEN,
  readAllocationMap,
  readFailure,
} from "./text.ts";

/** An image in a batch of commands. */
export interface Part {
  readonly reading: Reading;
  readonly options: BlockOptions;
  readonly commands: readonly string[];
  /** What qemu-io prints to standard error where content and length are as expected, if it is known. */
  readonly errors?: string;
  /** The reads that should fail, as indices of commands. */
  readonly failing?: ReadonlySet<number>;
}

/** The file with the expected content is longer than the disk by this: its map shows where the disk ends. */
const BEYOND = 2 ** 16;
/** What `map` says where the disk ends before the file with the expected content does. */
const END = "qemu-io: Unexpected end of image\n";

/** The commands that examine an image. Its content is compared if it is known what it should be. */
export function partOf(
  reading: Reading,
  options: BlockOptions,
  expectedFile: () => ExpectedFile,
): Part {
  const { size, expected, length = size, mapped = true } = reading;
  const map = mapped ? "map" : "length";
  const alone = [openCommand(options), map, "close"];
  if (expected === undefined) return { reading, options, commands: alone, errors: "" };
  const file = expectedFile();
  if (reading.unreadable !== undefined) {
    file.reset(expected, expected.length);
    return {
      reading,
      options,
      ...readingAround(reading.unreadable, reading, { options, file, map }),
    };
  }
  const compare = [...size === 0 ? [] : [`read -q 0 ${size}`], "close"];
  const open = file.openCommand(options);
  if (file.reset(expected, roundUp(length, SECTOR) + BEYOND)) {
    return { reading, options, commands: [open, map, ...compare], errors: mapped ? END : "" };
  }
  return { reading, options, commands: [...alone, open, ...compare], errors: "" };
}

/**
 * The commands for an image with parts that cannot be read: these first, then the others, for which the
 * image is opened again. After a failed read, qcow1 may return stale data, which is not as expected.
 */
function readingAround(
  unreadable: Content["unreadable"],
  { size }: Reading,
  { options, file, map }: { options: BlockOptions; file: ExpectedFile; map: string },
): Pick<Part, "commands" | "failing"> {
  const commands = [openCommand(options), map];
  const failing = new Set<number>();
  const readable: string[] = [];
  let from = 0;
  for (const { start, length } of [...unreadable, { start: size, length: 0 }]) {
    if (start > from) readable.push(`read -q ${from} ${start - from}`);
    from = start + length;
    if (length === 0) continue;
    failing.add(commands.length);
    commands.push(`read -q ${start} ${length}`);
  }
  return {
    commands: [...commands, "close", file.openCommand(options), ...readable, "close"],
    failing,
  };
}

/** The commands of a batch: each image ends with a command that qemu-io does not know. */
export function batchOf(parts: readonly Part[]): string[] {
  return parts.flatMap(({ commands }, index) => [...commands, endOf(index)]);
}

function endOf(index: number): string {
  return endWord(`part-${index}`);
}

/** What qemu-io printed for each image; nothing from the first one on that it did not come to the end of. */
export function exchangesOf(
  parts: readonly Part[],
  { outputs, errors }: Exchange,
): (Exchange | undefined)[] {
  let [at, from] = [0, 0];
  return parts.map(({ commands }, index) => {
    if (from < 0) return undefined;
    const mark = `command "${endOf(index)}" not found\n`;
    const end = errors.indexOf(mark, from);
    if (end < 0) {
      from = end;
      return undefined;
    }
    const exchange = {
      outputs: outputs.slice(at, at + commands.length),
      errors: errors.slice(from, end),
    };
    at += commands.length + 1;
    from = end + mark.length;
    return exchange;
  });
}

/**
 * The outcome of an image of a batch.
 *
 * @returns `accepted` where content and map are as expected, or the outcome of an image that does not open;
 *   nothing where the image has to be examined by itself
 */
export function outcomeOf(part: Part, exchange: Exchange): Outcome<Examination> | undefined {
  const { reading: { expected, unreadable = [], mapped = true } } = part;
  if (expected === undefined) {
    const map = mapIn(part, exchange);
    return map?.outcome === "accepted" ? undefined : map;
  }
  if (!isAsExpected(part, exchange)) return undefined;
  const map = mapped ? readAllocationMap(exchange.outputs[1] ?? "") : [];
  return map && accepted({ bytes: expected, unreadable, map });
}

/** Whether all commands but the map print what they should. */
function isAsExpected({ commands, errors, failing }: Part, exchange: Exchange): boolean {
  if (exchange.outputs.length !== commands.length) return false;
  // Where nothing is open, a read prints no more than one that succeeds.
  if (errors === undefined ? exchange.errors.includes(NOTHING_OPEN) : exchange.errors !== errors) {
    return false;
  }
  return exchange.outputs.every((output, index) => {
    if (failing?.has(index) === true) return readFailure(output) !== undefined;
    return index === 1 || output === "";
  });
}

/** What QEMU says of a key for an image that is not encrypted. */
const NEEDLESS_KEY = "does not support the option";

/** The map of an image of which no content is expected; nothing where a key may be missing or needless. */
export function mapIn(
  { reading: { expected, mapped = true, passphrases = [] } }: Part,
  exchange: Exchange,
): Outcome<readonly AllocationRun[]> | undefined {
  const { errors } = exchange;
  const differs = passphrases.length > 0 &&
    (lackingKey(errors) !== undefined || errors.includes(NEEDLESS_KEY));
  return expected !== undefined || differs ? undefined : mapOutcome(exchange, mapped);
}

/** The command that opens an image. */
export function openCommand(options: BlockOptions): string {
  return `open -r ${jsonName(options)}`;
}

/** Reads the outputs of `open` and `map`. After an open that failed, `map` complains of it. */
export function mapOutcome(exchange: Exchange, mapped = true): Outcome<readonly AllocationRun[]> {
  if (exchange.end !== undefined) return endOutcome(exchange.end, exchange.errors);
  const [, map = ""] = exchange.outputs;
  if (map === "" && exchange.errors.includes(NOTHING_OPEN)) {
    return rejected(firstLine(exchange.errors));
  }
  if (!mapped) return accepted([]);
  const runs = readAllocationMap(map);
  return runs === undefined ? malformed(map, "The answer to map is not a map") : accepted(runs);
}

function firstLine(text: string): string {
  return text.trimStart().split("\n", 1)[0]?.replace(
    /^qemu-io: (?:can't open device json:\{.*?\}: )?/,
    "",
  ) ?? "";
}
