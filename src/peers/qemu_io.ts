import { jsonName } from "./names.ts";
import { type Outcome, PeerError, type Subject } from "./peer.ts";
import type { ToolEnd } from "./process.ts";
import { Overlay } from "./qemu_io_overlay.ts";
import { type Exchange, QemuIoProcess } from "./qemu_io_process.ts";
import { type AllocationRun, readAllocationMap, readDump, readFailure } from "./qemu_io_text.ts";

/** How qemu-io is called and bounded. */
export interface QemuIoOptions {
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

/** An image, and how much of it is wanted. */
export interface Reading extends Omit<Subject, "directory"> {
  readonly format: string;
  /** Bytes from the start of the guest's disk on; what lies beyond its end reads as zeros. */
  readonly size: number;
  /** Bytes of one read where reading everything at once fails; a multiple of 512. */
  readonly unit?: number;
}

/** The content of an image. */
export interface Content {
  /** As long as was asked for; zeros where nothing could be read. */
  readonly bytes: Uint8Array;
  /** Where reading failed, as with an input/output error, in units of the reading. */
  readonly unreadable: readonly { readonly start: number; readonly length: number }[];
}

/** Content and allocation in one answer. */
export interface Examination extends Content {
  readonly map: readonly AllocationRun[];
}

/** The largest content that a session reads. */
export const SESSION_LIMIT = 64 * 1024 * 1024;
const TIMEOUT_MS = 10_000;
const UNIT = 4096;
/** A process is replaced after so many questions, so that nothing it keeps can add up. */
const BATCHES_PER_PROCESS = 2_000;
/** What commands other than `open` say while no image is open. */
const NOTHING_OPEN = "no file open";
/** qcow1 may answer from what an earlier failed read has left behind, until it is opened anew. */
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
  #process: QemuIoProcess | undefined;
  #overlay: Promise<Overlay> | undefined;

  constructor(options: QemuIoOptions = {}) {
    this.#options = options;
  }

  /** Reads content. An image that cannot be opened is rejected; one that can is accepted. */
  async readAll(reading: Reading): Promise<Outcome<Content>> {
    const examined = await this.examine(reading);
    if (examined.outcome !== "accepted") return examined;
    const { bytes, unreadable } = examined.value;
    return { outcome: "accepted", value: { bytes, unreadable } };
  }

  /** What the top layer itself says something about. */
  async map(subject: Omit<Reading, "size">): Promise<Outcome<readonly AllocationRun[]>> {
    const exchange = await this.#run([openCommand(subject), "map", "close"]);
    return mapOutcome(exchange);
  }

  /** Content and map in one go. */
  async examine(reading: Reading): Promise<Outcome<Examination>> {
    if (reading.size > SESSION_LIMIT) {
      const message = `The content is longer than ${SESSION_LIMIT} bytes`;
      return { outcome: "unsupported", message };
    }
    const overlay = await (this.#overlay ??= Overlay.make({
      ...this.#options,
      capacity: SESSION_LIMIT,
    }));
    overlay.reset();
    const exchange = await this.#run([
      openCommand(reading),
      "map",
      "close",
      overlay.openCommand(reading),
      ...(reading.size === 0 ? [] : [`read -q 0 ${reading.size}`]),
      "close",
    ]);
    const map = mapOutcome(exchange);
    if (map.outcome !== "accepted") return map;
    const said = exchange.outputs.slice(3).join("");
    const content = said === ""
      ? {
        outcome: "accepted" as const,
        value: { bytes: overlay.content(reading.size), unreadable: [] },
      }
      : await this.#readByUnit(reading);
    if (content.outcome !== "accepted") return content;
    return { outcome: "accepted", value: { ...content.value, map: map.value } };
  }

  /** Ends the process and removes the scratch files. */
  async close(): Promise<void> {
    await this.#process?.close();
    this.#process = undefined;
    const overlay = await this.#overlay;
    this.#overlay = undefined;
    overlay?.remove();
  }

  async #readByUnit(reading: Reading): Promise<Outcome<Content>> {
    const { size, unit = UNIT, format } = reading;
    const open = openCommand(reading);
    const reopen = REOPENED_FORMATS.includes(format);
    const reads: { start: number; length: number }[] = [];
    for (let start = 0; start < size; start += unit) {
      reads.push({ start, length: Math.min(unit, size - start) });
    }
    const commands = reads.flatMap(({ start, length }) => {
      const read = `read -v ${start} ${length}`;
      return reopen ? [open, read, "close"] : [read];
    });
    const exchange = await this.#run(reopen ? commands : [open, ...commands, "close"]);
    if (exchange.end !== undefined) return endOutcome(exchange.end, exchange.errors);
    const bytes = new Uint8Array(size);
    const unreadable = reads.filter(({ start, length }, index) => {
      const output = exchange.outputs[reopen ? index * 3 + 1 : index + 1] ?? "";
      const target = bytes.subarray(start, start + length);
      if (readFailure(output) === undefined && readDump(output, target)) return false;
      target.fill(0);
      return true;
    });
    return { outcome: "accepted", value: { bytes, unreadable } };
  }

  async #run(commands: readonly string[]): Promise<Exchange> {
    const old = this.#process;
    if (old !== undefined && (old.ended || old.batches >= BATCHES_PER_PROCESS)) {
      await old.close();
      this.#process = undefined;
    }
    const { command = ["qemu-io"], timeoutMs = TIMEOUT_MS, directory } = this.#options;
    const where = directory === undefined ? {} : { directory };
    this.#process ??= new QemuIoProcess({ command, timeoutMs, ...where });
    return await this.#process.run(commands);
  }
}

function openCommand({ path, format }: Omit<Reading, "size">): string {
  return `open -r ${jsonName({ driver: format, "file.driver": "file", "file.filename": path })}`;
}

/** Reads the outputs of `open` and `map`. After an open that failed, `map` complains of it. */
function mapOutcome(exchange: Exchange): Outcome<readonly AllocationRun[]> {
  if (exchange.end !== undefined) return endOutcome(exchange.end, exchange.errors);
  const [, map = ""] = exchange.outputs;
  if (map === "" && exchange.errors.includes(NOTHING_OPEN)) {
    return { outcome: "rejected", message: firstLine(exchange.errors) };
  }
  const runs = readAllocationMap(map);
  if (runs === undefined) throw new PeerError(`Cannot understand qemu-io: ${firstLine(map)}`);
  return { outcome: "accepted", value: runs };
}

function endOutcome(end: ToolEnd, errors: string): Outcome<never> {
  switch (end.kind) {
    case "timed-out":
      return { outcome: "timed-out", message: `No answer within ${end.timeoutMs} ms` };
    case "flooded":
      return { outcome: "unsupported", message: `The answer is longer than ${end.limit} bytes` };
    case "crashed":
      return { outcome: "crashed", message: `${end.signal}: ${errors.trim()}` };
    case "exited":
      // qemu-io leaves at the end of its input alone; in the middle it has given up.
      return { outcome: "crashed", message: `exit status ${end.code}: ${errors.trim()}` };
  }
}

function firstLine(text: string): string {
  return text.trimStart().split("\n", 1)[0]?.replace(
    /^qemu-io: (?:can't open device json:\{.*?\}: )?/,
    "",
  ) ?? "";
}
