import { accepted, type Outcome, PeerError, type Subject, unsupported } from "../peer.ts";
import { runTool } from "../tool/process.ts";
import { scrubbed } from "../tool/secrets.ts";
import {
  batchOf,
  exchangesOf,
  mapIn,
  mapOutcome,
  openCommand,
  outcomeOf,
  type Part,
  partOf,
} from "./batch.ts";
import { ExpectedFile } from "./expected.ts";
import { Overlay } from "./overlay.ts";
import { KeptQemuIo } from "./kept_process.ts";
import type { Exchange } from "./process.ts";
import type { Content, Examination, Reading } from "./reading.ts";
import { type AllocationRun, endOutcome, readFailure } from "./text.ts";
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

type Stretch = Content["unreadable"][number];

/** The largest content that a session reads. */
export const SESSION_LIMIT = 64 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
/** For a batch of several images: those that are late are read again, each by itself. */
const BATCH_MS = 1_500;
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
 * Images that are examined at the same time, without waiting for each other, go to qemu-io in one batch.
 * Those that are not as expected, and those after one that ends qemu-io, are read again by themselves.
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
  /** By the place of an image in its batch. */
  #expectedFiles: ExpectedFile[] = [];
  #waiting: Waiting[] = [];
  /** Settles when the process is free. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

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
  map(subject: Omit<Reading, "size">): Promise<Outcome<readonly AllocationRun[]>> {
    return this.#queue(async () => {
      const asked = await this.#ask(subject, (options) => [openCommand(options), "map", "close"]);
      return asked.outcome === "accepted" ? mapOutcome(asked.value.exchange) : asked;
    });
  }

  /** Content and map in one go. */
  async examine(reading: Reading): Promise<Outcome<Examination>> {
    if (reading.size > SESSION_LIMIT) {
      return unsupported(`The content is longer than ${SESSION_LIMIT} bytes`);
    }
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ reading, resolve, reject });
      if (this.#waiting.length === 1) void this.#queue(() => this.#examineWaiting());
    });
  }

  /** Does this after everything else that uses the process. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #examineWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const found = await this.#examineTogether(waiting.map(({ reading }) => reading));
      for (const { reading, resolve } of waiting) {
        const known = found.get(reading) ?? {};
        const outcome = "outcome" in known ? known.outcome : undefined;
        resolve(outcome ?? await this.#examineAlone(reading, known));
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** What a batch shows of images; nothing of one that has to be examined by itself. */
  async #examineTogether(readings: readonly Reading[]): Promise<Map<Reading, Found>> {
    const passphrases = readings.flatMap(({ passphrases = [] }) => passphrases);
    // One process has to know all of them.
    this.#qemuIo.secretsOf(passphrases);
    const parts = readings.flatMap((reading, index) => this.#partOf(reading, index) ?? []);
    if (parts.length === 0) return new Map();
    const [only, ...others] = readings;
    const limit = others.length === 0 ? undefined : BATCH_MS;
    const { end, ...printed } = await this.#run(batchOf(parts), {}, limit);
    if (only !== undefined && limit === undefined && end?.kind === "timed-out") {
      return new Map([[only, { outcome: endOutcome(end, scrubbed(printed.errors, passphrases)) }]]);
    }
    // A passphrase may be a part of what marks the end of an image.
    const found = exchangesOf(parts, printed).flatMap((unscrubbed, index): [Reading, Found][] => {
      const part = parts[index];
      if (part === undefined || unscrubbed === undefined) return [];
      const exchange = { ...unscrubbed, errors: scrubbed(unscrubbed.errors, passphrases) };
      const outcome = outcomeOf(part, exchange);
      if (outcome !== undefined) return [[part.reading, { outcome }]];
      const map = mapIn(part, exchange);
      return map?.outcome === "accepted"
        ? [[part.reading, { map: map.value, options: part.options }]]
        : [];
    });
    return new Map(found);
  }

  /** The commands for an image, if it is known which images of its chain need a passphrase. */
  #partOf(reading: Reading, index: number): Part | undefined {
    const { format, header, passphrases = [] } = reading;
    if (header !== undefined) return undefined;
    const { likely = [] } = reading;
    const { chain = format === "luks" ? [{ format, encrypted: true }] : likely } = reading;
    const options = blockOptions(reading, chain, this.#qemuIo.secretsOf(passphrases));
    return partOf(
      reading,
      options,
      () => this.#expectedFiles[index] ??= new ExpectedFile(this.#options.scratch),
    );
  }

  /** Examines an image by itself; its map may be known. */
  async #examineAlone(
    reading: Reading,
    known: Found = {},
  ): Promise<Outcome<Examination>> {
    const { mapped = true } = reading;
    if ("map" in known) return await this.#read(reading, known);
    const asked = await this.#ask(reading, (options) => [
      openCommand(options),
      mapped ? "map" : "length",
      "close",
    ]);
    if (asked.outcome !== "accepted") return asked;
    const { exchange, options } = asked.value;
    const map = mapOutcome(exchange, mapped);
    if (map.outcome !== "accepted") return map;
    return await this.#read(reading, { options, map: map.value });
  }

  /** Ends the processes and removes the scratch files. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#qemuIo.close();
    await this.#last;
    // Something may have started it in the meantime.
    await this.#qemuIo.close();
    const made = [await this.#overlay, ...this.#expectedFiles];
    this.#overlay = undefined;
    this.#expectedFiles = [];
    for (const each of made) each?.remove();
  }

  /** Reads everything at once, and what cannot be read part by part. */
  async #read(
    reading: Reading,
    { options, map }: Mapped,
  ): Promise<Outcome<Examination>> {
    const { size, unit = UNIT, format } = reading;
    const overlay = await (this.#overlay ??= Overlay.make({
      ...this.#options,
      capacity: SESSION_LIMIT,
    }));
    overlay.reset();
    const [open, close] = [overlay.openCommand(options), "close"];
    const reopens = REOPENED_FORMATS.includes(format);
    const unreadable: Stretch[] = [];
    let parts: Stretch[] = size === 0 ? [] : [{ start: 0, length: size }];
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
    return accepted({ bytes, unreadable: unreadable.sort((a, b) => a.start - b.start), map });
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
    timeoutMs?: number,
  ): Promise<Exchange> {
    if (this.#closed) throw new PeerError("The session is closed");
    const exchange = await this.#qemuIo.run(commands, timeoutMs);
    return { ...exchange, errors: scrubbed(exchange.errors, passphrases) };
  }
}

/** An image that opens, and its map. */
interface Mapped {
  readonly options: BlockOptions;
  readonly map: readonly AllocationRun[];
}

/** What a batch shows of an image. */
type Found = Mapped | { readonly outcome?: Outcome<Examination> };

/** An image that somebody waits for. */
interface Waiting {
  readonly reading: Reading;
  resolve(outcome: Outcome<Examination>): void;
  reject(error: unknown): void;
}

/** What commands made qemu-io print, and the options that they opened the image with. */
interface Asked {
  readonly exchange: Exchange;
  readonly options: BlockOptions;
}

/** A part in eight, of whole units. */
function partsOf({ start, length }: Stretch, unit: number): Stretch[] {
  const step = Math.max(1, Math.ceil(length / unit / PARTS)) * unit;
  const count = Math.ceil(length / step);
  return Array.from({ length: count }, (_, index) => ({
    start: start + index * step,
    length: Math.min(step, length - index * step),
  }));
}
