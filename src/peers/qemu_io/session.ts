import { malformed } from "../answers.ts";
import { accepted, type Outcome, rejected, type Subject, unsupported } from "../peer.ts";
import { jsonName } from "../qemu_img/names.ts";
import { runTool } from "../tool/process.ts";
import { scrubbed } from "../tool/secrets.ts";
import { ExpectedFile } from "./expected.ts";
import { Overlay } from "./overlay.ts";
import { KeptQemuIo } from "./kept_process.ts";
import type { Exchange } from "./process.ts";
import {
  type AllocationRun,
  endOutcome,
  NOTHING_OPEN,
  readAllocationMap,
  readFailure,
} from "./text.ts";
import { type BlockOptions, blockOptions, lackingKey, learnChain } from "../qemu_img/options.ts";

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
  /** Whether the map is read, as it is by default. QEMU counts each cluster of a long hole for it. */
  readonly mapped?: boolean;
  /**
   * The whole content, where the caller can say it. QEMU compares it while it reads, which takes half as
   * long as handing out what was read.
   */
  readonly expected?: Uint8Array;
}

/** The content of an image. */
export interface Content {
  /** As long as requested; zeros where nothing could be read. */
  readonly bytes: Uint8Array;
  /** Where reading failed, as with an input/output error, in units of the reading. */
  readonly unreadable: readonly { readonly start: number; readonly length: number }[];
}

type Part = Content["unreadable"][number];

/** Content and allocation in one answer. */
export interface Examination extends Content {
  /** The allocation of the disk. */
  readonly map: readonly AllocationRun[];
}

/** The largest content that a session reads. */
export const SESSION_LIMIT = 64 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
const UNIT = 4096;
/** A part that cannot be read is read again in so many. */
const PARTS = 8;
/** After a failed read, qcow1 may return stale data until it is opened again. */
const REOPENED_FORMATS = ["qcow"];

/**
 * Reads many small images through one qemu-io process.
 *
 * qemu-io can print what it reads, as a hexadecimal dump and at a few megabytes a second. Here the
 * image under test instead becomes the backing file of a scratch image that copies on reading into an
 * external data file; one read of everything leaves the whole content there, at the guest's own
 * offsets. Only where that read fails is the content read in parts, down to units. If the caller says
 * what it expects, QEMU's driver blkverify compares the content with that instead.
 *
 * ```ts
 * const session = new QemuIoSession();
 * const read = await session.readAll({ path: "disk.qcow2", format: "qcow2", size: 65536 });
 * await session.close();
 * ```
 */
export class QemuIoSession {
  readonly #options: QemuIoOptions;
  readonly #qemuIo: KeptQemuIo;
  #overlay: Promise<Overlay> | undefined;
  #expectedFile: ExpectedFile | undefined;

  /** A session; the program starts with the first image. */
  constructor(options: QemuIoOptions = {}) {
    this.#options = options;
    const { command = ["qemu-io"], timeoutMs = TIMEOUT_MS } = options;
    this.#qemuIo = new KeptQemuIo({ ...options, command, timeoutMs });
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
    const asked = await this.#ask(subject, (options) => [openCommand(options), "map", "close"]);
    return asked.outcome === "accepted" ? mapOutcome(asked.value.exchange) : asked;
  }

  /** Content and map in one go. */
  async examine(reading: Reading): Promise<Outcome<Examination>> {
    const { size, expected, mapped = true } = reading;
    if (size > SESSION_LIMIT) {
      return unsupported(`The content is longer than ${SESSION_LIMIT} bytes`);
    }
    const asked = await this.#ask(reading, (options) => [
      openCommand(options),
      mapped ? "map" : "length",
      "close",
      ...(expected === undefined ? [] : this.#comparison(expected, { size, options })),
    ]);
    if (asked.outcome !== "accepted") return asked;
    const { exchange, options } = asked.value;
    if (expected !== undefined && !isAsExpected(exchange)) {
      // It differs, or it cannot be compared: the process has ended, or qemu-io lacks the driver.
      const { expected: _, ...whole } = reading;
      return await this.examine(whole);
    }
    const map = mapOutcome(exchange, mapped);
    if (map.outcome !== "accepted") return map;
    const content = expected === undefined
      ? await this.#read(reading, options)
      : accepted<Content>({ bytes: expected, unreadable: [] });
    if (content.outcome !== "accepted") return content;
    return accepted({ ...content.value, map: map.value });
  }

  /** The commands that compare content, and print nothing where it is as expected. */
  #comparison(
    expected: Uint8Array,
    { size, options }: { size: number; options: BlockOptions },
  ): readonly string[] {
    const file = this.#expectedFile ??= new ExpectedFile(this.#options.scratch);
    file.reset(expected);
    return [file.openCommand(options), ...(size === 0 ? [] : [`read -q 0 ${size}`]), "close"];
  }

  /** Ends the processes and removes the scratch files. */
  async close(): Promise<void> {
    await this.#qemuIo.close();
    const made = [await this.#overlay, this.#expectedFile];
    this.#overlay = this.#expectedFile = undefined;
    for (const each of made) each?.remove();
  }

  /** Reads everything at once, and what cannot be read part by part. */
  async #read(reading: Reading, options: BlockOptions): Promise<Outcome<Content>> {
    const { size, unit = UNIT, format } = reading;
    const overlay = await (this.#overlay ??= Overlay.make({
      ...this.#options,
      capacity: SESSION_LIMIT,
    }));
    overlay.reset();
    const [open, close] = [overlay.openCommand(options), "close"];
    const reopens = REOPENED_FORMATS.includes(format);
    const unreadable: Part[] = [];
    let parts: Part[] = size === 0 ? [] : [{ start: 0, length: size }];
    while (parts.length > 0) {
      const reads = parts.map(({ start, length }) => `read -q ${start} ${length}`);
      const commands = reopens
        ? reads.flatMap((read) => [open, read, close])
        : [open, ...reads, close];
      const { outputs, errors, end } = await this.#run(commands, reading);
      if (end !== undefined) return endOutcome(end, errors);
      const failed = parts.filter((_, index) => {
        const output = outputs[reopens ? index * 3 + 1 : index + 1] ?? "";
        return readFailure(output) !== undefined;
      });
      unreadable.push(...failed.filter(({ length }) => length <= unit));
      parts = failed.filter(({ length }) => length > unit).flatMap((part) => partsOf(part, unit));
    }
    const bytes = overlay.content(size);
    for (const { start, length } of unreadable) bytes.fill(0, start, start + length);
    return accepted({ bytes, unreadable: unreadable.sort((a, b) => a.start - b.start) });
  }

  /**
   * Runs commands on an image. Where it is not known which images of the chain need a passphrase, they
   * are opened without one, and qemu-img is called only if that lacks a key.
   */
  async #ask(
    subject: Omit<Reading, "size">,
    commandsOf: (options: BlockOptions) => readonly string[],
  ): Promise<Outcome<Asked>> {
    const { header, passphrases = [], format, chain } = subject;
    const isKnown = chain !== undefined || header !== undefined || format === "luks";
    if (!isKnown || passphrases.length === 0 && header === undefined) {
      const options = blockOptions(subject, []);
      const exchange = await this.#run(commandsOf(options), subject);
      const lacks = lackingKey(exchange.errors) !== undefined;
      if (passphrases.length === 0 || !lacks) return accepted({ exchange, options });
    }
    const options = await this.#optionsOf(subject);
    if (options.outcome !== "accepted") return options;
    const exchange = await this.#run(commandsOf(options.value), subject);
    return accepted({ exchange, options: options.value });
  }

  /** The options that open an image, with secrets for the images of its chain that need them. */
  async #optionsOf(subject: Omit<Reading, "size">): Promise<Outcome<BlockOptions>> {
    const { passphrases = [] } = subject;
    const { qemuImg = ["qemu-img"], timeoutMs = TIMEOUT_MS, directory } = this.#options;
    const limits = directory === undefined ? { timeoutMs } : { timeoutMs, directory };
    const chain = await learnChain(subject, (args) => runTool([...qemuImg, ...args], limits));
    if (chain.outcome !== "accepted") return chain;
    return accepted(blockOptions(subject, chain.value, this.#qemuIo.secretsOf(passphrases)));
  }

  async #run(
    commands: readonly string[],
    { passphrases }: Pick<Subject, "passphrases">,
  ): Promise<Exchange> {
    const exchange = await this.#qemuIo.run(commands);
    return { ...exchange, errors: scrubbed(exchange.errors, passphrases) };
  }
}

/** What commands made qemu-io print, and the options that they opened the image with. */
interface Asked {
  readonly exchange: Exchange;
  readonly options: BlockOptions;
}

/** Whether the commands after the first three have read what was expected. */
function isAsExpected({ outputs, errors, end }: Exchange): boolean {
  // Where nothing is open, a read prints no more than one that succeeds.
  const isOpen = !errors.includes(NOTHING_OPEN);
  return isOpen && end === undefined && outputs.slice(3).join("") === "";
}

/** A part in eight, of whole units. */
function partsOf({ start, length }: Part, unit: number): Part[] {
  const step = Math.max(1, Math.ceil(length / unit / PARTS)) * unit;
  const count = Math.ceil(length / step);
  return Array.from({ length: count }, (_, index) => ({
    start: start + index * step,
    length: Math.min(step, length - index * step),
  }));
}

function openCommand(options: BlockOptions): string {
  return `open -r ${jsonName(options)}`;
}

/** Reads the outputs of `open` and `map`. After an open that failed, `map` complains of it. */
function mapOutcome(exchange: Exchange, mapped = true): Outcome<readonly AllocationRun[]> {
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
