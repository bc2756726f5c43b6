import { malformed } from "../answers.ts";
import { accepted, type Outcome, rejected, type Subject, unsupported } from "../peer.ts";
import { jsonName } from "../qemu_img/names.ts";
import { runTool } from "../tool/process.ts";
import { scrubbed } from "../tool/secrets.ts";
import { Overlay } from "./overlay.ts";
import { QemuIoPool } from "./pool.ts";
import type { Exchange } from "./process.ts";
import {
  type AllocationRun,
  endOutcome,
  NOTHING_OPEN,
  readAllocationMap,
  readDump,
  readFailure,
} from "./text.ts";
import { type BlockOptions, blockOptions, learnChain } from "../qemu_img/options.ts";

/** How qemu-io is called and bounded. */
export interface QemuIoOptions {
  /** The command and its first arguments; `qemu-io` by default. */
  readonly command?: readonly string[];
  /** The qemu-img that makes the scratch image which content is copied through. */
  readonly qemuImg?: readonly string[];
  /** Directory that the process runs in: names of external data files are relative to it. */
  readonly directory?: string;
  /** Milliseconds for one question. */
  readonly timeoutMs?: number;
  /** An absolute path where scratch files go; memory where the system offers it. */
  readonly scratch?: string;
}

/** An image, and the length to read. */
export interface Reading extends Omit<Subject, "directory"> {
  /** Name of the format. */
  readonly format: string;
  /** Bytes from the start of the guest's disk on; zeros are read past its end. */
  readonly size: number;
  /** Bytes of one read where reading everything at once fails; a multiple of 512. */
  readonly unit?: number;
}

/** The content of an image. */
export interface Content {
  /** As long as requested; zeros where nothing could be read. */
  readonly bytes: Uint8Array;
  /** Where reading failed, as with an input/output error, in units of the reading. */
  readonly unreadable: readonly { readonly start: number; readonly length: number }[];
}

/** Content and allocation in one answer. */
export interface Examination extends Content {
  /** The allocation of the disk. */
  readonly map: readonly AllocationRun[];
}

/** The largest content that a session reads. */
export const SESSION_LIMIT = 64 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
const UNIT = 4096;
/** After a failed read, qcow1 may return stale data until it is opened again. */
const REOPENED_FORMATS = ["qcow"];

/**
 * Reads many small images through one qemu-io process.
 *
 * qemu-io can print what it reads, as a hexadecimal dump and at a few megabytes a second. Here the
 * image under test instead becomes the backing file of a scratch image that copies on reading into an
 * external data file; one read of everything leaves the whole content there, at the guest's own
 * offsets. Only where that read fails is the content dumped, unit by unit.
 *
 * ```ts
 * const session = new QemuIoSession();
 * const read = await session.readAll({ path: "disk.qcow2", format: "qcow2", size: 65536 });
 * await session.close();
 * ```
 */
export class QemuIoSession {
  readonly #options: QemuIoOptions;
  readonly #pool: QemuIoPool;
  #overlay: Promise<Overlay> | undefined;

  /** A session; the program starts with the first image. */
  constructor(options: QemuIoOptions = {}) {
    this.#options = options;
    const { command = ["qemu-io"], timeoutMs = TIMEOUT_MS } = options;
    this.#pool = new QemuIoPool({ ...options, command, timeoutMs });
  }

  /** Reads content. An image that cannot be opened is rejected; one that can is accepted. */
  async readAll(reading: Reading): Promise<Outcome<Content>> {
    const examined = await this.examine(reading);
    if (examined.outcome !== "accepted") return examined;
    const { bytes, unreadable } = examined.value;
    return accepted({ bytes, unreadable });
  }

  /** The parts that the top layer itself maps. */
  async map(subject: Omit<Reading, "size">): Promise<Outcome<readonly AllocationRun[]>> {
    const options = await this.#optionsOf(subject);
    if (options.outcome !== "accepted") return options;
    const open = openCommand(options.value);
    const exchange = await this.#run([open, "map", "close"], subject);
    return mapOutcome(exchange);
  }

  /** Content and map in one go. */
  async examine(reading: Reading): Promise<Outcome<Examination>> {
    if (reading.size > SESSION_LIMIT) {
      return unsupported(`The content is longer than ${SESSION_LIMIT} bytes`);
    }
    const overlay = await (this.#overlay ??= Overlay.make({
      ...this.#options,
      capacity: SESSION_LIMIT,
    }));
    overlay.reset();
    const opening = await this.#optionsOf(reading);
    if (opening.outcome !== "accepted") return opening;
    const options = opening.value;
    const exchange = await this.#run([
      openCommand(options),
      "map",
      "close",
      overlay.openCommand(options),
      ...(reading.size === 0 ? [] : [`read -q 0 ${reading.size}`]),
      "close",
    ], reading);
    const map = mapOutcome(exchange);
    if (map.outcome !== "accepted") return map;
    const said = exchange.outputs.slice(3).join("");
    const content = said === ""
      ? accepted<Content>({ bytes: overlay.content(reading.size), unreadable: [] })
      : await this.#readByUnit(reading, options);
    if (content.outcome !== "accepted") return content;
    return accepted({ ...content.value, map: map.value });
  }

  /** Ends the processes and removes the scratch files. */
  async close(): Promise<void> {
    await this.#pool.close();
    const overlay = await this.#overlay;
    this.#overlay = undefined;
    overlay?.remove();
  }

  async #readByUnit(reading: Reading, options: BlockOptions): Promise<Outcome<Content>> {
    const { size, unit = UNIT, format } = reading;
    const open = openCommand(options);
    const reopen = REOPENED_FORMATS.includes(format);
    const reads: { start: number; length: number }[] = [];
    for (let start = 0; start < size; start += unit) {
      reads.push({ start, length: Math.min(unit, size - start) });
    }
    const commands = reads.flatMap(({ start, length }) => {
      const read = `read -v ${start} ${length}`;
      return reopen ? [open, read, "close"] : [read];
    });
    const all = reopen ? commands : [open, ...commands, "close"];
    const exchange = await this.#run(all, reading);
    if (exchange.end !== undefined) return endOutcome(exchange.end, exchange.errors);
    const bytes = new Uint8Array(size);
    const unreadable = reads.filter(({ start, length }, index) => {
      const output = exchange.outputs[reopen ? index * 3 + 1 : index + 1] ?? "";
      const target = bytes.subarray(start, start + length);
      if (readFailure(output) === undefined && readDump(output, target)) return false;
      target.fill(0);
      return true;
    });
    return accepted({ bytes, unreadable });
  }

  /** The options that open an image; qemu-img knows which images of its chain need a passphrase. */
  async #optionsOf(subject: Omit<Reading, "size">): Promise<Outcome<BlockOptions>> {
    const { header, passphrases = [] } = subject;
    if (header === undefined && passphrases.length === 0) {
      return accepted(blockOptions(subject, []));
    }
    const { qemuImg = ["qemu-img"], timeoutMs = TIMEOUT_MS, directory } = this.#options;
    const limits = directory === undefined ? { timeoutMs } : { timeoutMs, directory };
    const chain = await learnChain(subject, (args) => runTool([...qemuImg, ...args], limits));
    return chain.outcome === "accepted" ? accepted(blockOptions(subject, chain.value)) : chain;
  }

  async #run(
    commands: readonly string[],
    { passphrases }: Pick<Subject, "passphrases">,
  ): Promise<Exchange> {
    const exchange = await this.#pool.run(commands, passphrases);
    return { ...exchange, errors: scrubbed(exchange.errors, passphrases) };
  }
}

function openCommand(options: BlockOptions): string {
  return `open -r ${jsonName(options)}`;
}

/** Reads the outputs of `open` and `map`. After an open that failed, `map` complains of it. */
function mapOutcome(exchange: Exchange): Outcome<readonly AllocationRun[]> {
  if (exchange.end !== undefined) return endOutcome(exchange.end, exchange.errors);
  const [, map = ""] = exchange.outputs;
  if (map === "" && exchange.errors.includes(NOTHING_OPEN)) {
    return rejected(firstLine(exchange.errors));
  }
  const runs = readAllocationMap(map);
  return runs === undefined ? malformed(map, "The answer to map is not a map") : accepted(runs);
}

function firstLine(text: string): string {
  return text.trimStart().split("\n", 1)[0]?.replace(
    /^qemu-io: (?:can't open device json:\{.*?\}: )?/,
    "",
  ) ?? "";
}
