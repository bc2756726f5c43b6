import { formatNames, formatNamesOf } from "../../formats.ts";
import type { Json } from "../../format/mod.ts";
import {
  type CheckReport,
  type DigestReport,
  type DigestScope,
  type InfoReport,
  type MapEntry,
  type Operation,
  type Outcome,
  type Peer,
  type PeerDescription,
  PeerError,
  type Subject,
  type Taken,
  type UnlockReport,
} from "../peer.ts";
import { runTool, type ToolResult } from "../process.ts";
import { failure, readCheck } from "../qemu_img/answers.ts";
import { scrubbed, withPassphraseFiles } from "../secrets.ts";

/** How an adapter is called and bounded. */
export interface ExecOptions {
  /** The program, and the arguments that come before the operation. */
  readonly command: readonly string[];
  /** Milliseconds that one call may take. */
  readonly timeoutMs?: number;
}

/** Exit status of an adapter, beside 0 for an answer. */
const REJECTED = 1;
const UNSUPPORTED = 3;
/**
 * What Python, and what JavaScript print of an exception that nobody has caught. They exit with 1 then,
 * and an adapter that dies of an image has not refused it.
 */
const STACK = /^Traceback \(most recent call last\):$|^ {4}at .+:\d+:\d+\)?$/m;
const TAKEN: readonly Taken[] = ["passphrases", "header"];
/** What an adapter is asked about and for that does not say more. */
const FORMATS: readonly string[] = formatNamesOf("qemu-img");
const OPERATIONS: readonly Operation[] = ["probe", "info", "map", "check", "digest"];
/** What only an adapter is asked about and for that says so: it came later. */
const MORE_OPERATIONS: readonly Operation[] = ["unlock"];

type Members = { readonly [key: string]: Json };

/**
 * Any implementation behind a small program, the adapter. It is called once for each question, as
 * `COMMAND OPERATION IMAGE`, in the folder of the image, and prints its answer as JSON:
 *
 * | operation | answer |
 * | --- | --- |
 * | `describe` (no image) | `{"name": …, "version": …, "takes": […], "formats": […], "operations": […]}`; may be unsupported |
 * | `probe` | `{"format": "qcow2"}` |
 * | `info` | as `qemu-img info --output=json`; `virtual-size` and `format` at least |
 * | `map` | as `qemu-img map --output=json` |
 * | `check` | as `qemu-img check --output=json`; `"exit-status": 63` where the format has no checker |
 * | `digest` | `{"sha256": …, "length": …}` of the guest content |
 * | `digest-snapshot` (and a name or id) | the same of a snapshot's |
 * | `digest-range` (and offset and length in bytes) | the same of a part |
 * | `unlock` | `{"slot": 3}`: the key slot of a LUKS volume that the first passphrase opens; `{}` where that is not known |
 *
 * Exit status 0 is an answer, 1 a rejection with the reason on standard error, 3 an operation or a
 * feature that is not supported; every other end is a crash, and so is 1 with a stack of Python or of
 * JavaScript.
 *
 * An adapter that `describe`s itself as one that takes `"passphrases"` is told them at the end of the
 * line: `--passphrase-file FILE` for each one, and the whole of FILE is the passphrase, in UTF-8 and
 * without a line break. The first one is that of the image, the next ones are those of its backing files
 * from the top down, the last one that of all further ones. One that takes `"header"` is told of a
 * detached LUKS header with `--header FILE`; IMAGE is the payload then. Of an image that needs what the
 * adapter does not take, it is asked nothing.
 *
 * `formats` and `operations` are what it is asked about and for: without them, everything but volumes of
 * `luks2`, and everything but `unlock`. A passphrase that opens no key slot is a rejection.
 */
export class ExecPeer implements Peer {
  readonly #options: ExecOptions;
  #description: Promise<PeerDescription> | undefined;

  constructor(options: ExecOptions) {
    this.#options = options;
  }

  describe(): Promise<PeerDescription> {
    return this.#description ??= this.#describe();
  }

  async probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    const result = await this.#ask("probe", subject);
    return answerOf(result, () => {
      const { format } = objectIn(result);
      if (typeof format === "string") return { format };
      throw new PeerError("Cannot understand the adapter: probe without a format");
    });
  }

  async info(subject: Subject): Promise<Outcome<InfoReport>> {
    const result = await this.#ask("info", subject);
    return answerOf(result, () => {
      const info = objectIn(result);
      if (typeof info["virtual-size"] === "number" && typeof info["format"] === "string") {
        return info as InfoReport;
      }
      throw new PeerError("Cannot understand the adapter: info without virtual-size or format");
    });
  }

  async map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    const result = await this.#ask("map", subject);
    return answerOf(result, () => {
      const entries = jsonIn(result);
      if (Array.isArray(entries) && entries.every(isEntry)) return entries as MapEntry[];
      throw new PeerError("Cannot understand the adapter: map without entries");
    });
  }

  async check(subject: Subject): Promise<Outcome<CheckReport>> {
    const result = await this.#ask("check", subject);
    return outcomeOf(result) ??
      readCheck({ ...result, end: { kind: "exited", code: checkStatus(objectIn(result)) } });
  }

  async digest(subject: Subject, scope: DigestScope = {}): Promise<Outcome<DigestReport>> {
    const { snapshot, range } = scope;
    if (snapshot !== undefined && range !== undefined) {
      return { outcome: "unsupported", message: "No operation reads a range of a snapshot" };
    }
    const result = snapshot !== undefined
      ? await this.#ask("digest-snapshot", subject, [snapshot])
      : range !== undefined
      ? await this.#ask("digest-range", subject, [`${range.start}`, `${range.length}`])
      : await this.#ask("digest", subject);
    return answerOf(result, () => {
      const answer = objectIn(result);
      if (typeof answer["sha256"] === "string") return answer as unknown as DigestReport;
      throw new PeerError("Cannot understand the adapter: digest without sha256");
    });
  }

  async unlock(subject: Subject): Promise<Outcome<UnlockReport>> {
    const result = await this.#ask("unlock", subject);
    return answerOf(result, () => {
      const { slot } = objectIn(result);
      if (slot === undefined) return {};
      if (typeof slot === "number") return { slot };
      throw new PeerError("Cannot understand the adapter: unlock with a slot that is no number");
    });
  }

  async #describe(): Promise<PeerDescription> {
    const result = await this.#run(["describe"], {});
    const { name, version, takes, formats, operations } = outcomeOf(result) === undefined
      ? objectIn(result)
      : {};
    return {
      name: typeof name === "string" ? name : this.#options.command.join(" "),
      version: typeof version === "string" ? version : "unknown",
      operations: chosen(operations, [...OPERATIONS, ...MORE_OPERATIONS]) ?? OPERATIONS,
      formats: chosen(formats, formatNames) ?? FORMATS,
      takes: chosen(takes, TAKEN) ?? [],
    };
  }

  async #ask(
    operation: string,
    subject: Subject,
    more: readonly string[] = [],
  ): Promise<ToolResult> {
    const { path, header, passphrases = [] } = subject;
    for (const need of needsOf(subject)) {
      const { takes = [] } = await this.describe();
      if (!takes.includes(need)) return untaken(need);
    }
    const apart = header === undefined ? [] : ["--header", header];
    const ask = (keys: readonly string[]) =>
      this.#run([operation, path, ...more, ...apart, ...keys], subject);
    if (passphrases.length === 0) return await ask([]);
    const { stderr, ...result } = await withPassphraseFiles(passphrases, (files) => {
      return ask(files.flatMap((file) => ["--passphrase-file", file]));
    });
    return { ...result, stderr: scrubbed(stderr, passphrases) };
  }

  #run(args: readonly string[], { directory }: Partial<Subject>): Promise<ToolResult> {
    const { command, timeoutMs } = this.#options;
    return runTool([...command, ...args], {
      inheritEnvironment: true,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(directory === undefined ? {} : { directory }),
    });
  }
}

/** Those of a list that an adapter names; nothing where it names none. */
function chosen<T extends string>(named: Json | undefined, all: readonly T[]): T[] | undefined {
  return Array.isArray(named) ? all.filter((it) => named.includes(it)) : undefined;
}

/** What of a subject a peer has to take in to answer about it. */
function needsOf({ passphrases = [], header }: Subject): Taken[] {
  return [
    ...(passphrases.length > 0 ? ["passphrases" as const] : []),
    ...(header === undefined ? [] : ["header" as const]),
  ];
}

/** The end of a call that is not made. */
function untaken(need: Taken): ToolResult {
  const what = need === "header" ? "detached LUKS headers" : need;
  const stderr = `The adapter does not say that it takes ${what}`;
  return { end: { kind: "exited", code: UNSUPPORTED }, stdout: "", stderr };
}

/** The outcome of a call that gave no answer; `undefined` for one that did. */
function outcomeOf(result: ToolResult): Outcome<never> | undefined {
  const { end, stderr } = result;
  if (end.kind !== "exited") return failure(result);
  const message = stderr.trim();
  switch (end.code) {
    case 0:
      return undefined;
    case REJECTED:
      return { outcome: STACK.test(message) ? "crashed" : "rejected", message };
    case UNSUPPORTED:
      return { outcome: "unsupported", message };
    default:
      return { outcome: "crashed", message: `Exit status ${end.code}: ${message}` };
  }
}

function answerOf<T>(result: ToolResult, read: () => T): Outcome<T> {
  return outcomeOf(result) ?? { outcome: "accepted", value: read() };
}

function jsonIn({ stdout }: ToolResult): Json {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new PeerError("Cannot understand the adapter: its answer is not JSON");
  }
}

function objectIn(result: ToolResult): Members {
  const answer = jsonIn(result);
  if (isObject(answer)) return answer;
  throw new PeerError("Cannot understand the adapter: its answer is not a JSON object");
}

function isObject(value: Json): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEntry(value: Json): boolean {
  return isObject(value) && typeof value["start"] === "number" &&
    typeof value["length"] === "number";
}

/** The exit status that goes with counts, where the adapter does not say it itself. */
function checkStatus(answer: Members): number {
  const told = answer["exit-status"];
  if (typeof told === "number") return told;
  const is = (key: string): boolean => Number(answer[key] ?? 0) > 0;
  return is("check-errors") ? 1 : is("corruptions") ? 2 : is("leaks") ? 3 : 0;
}
