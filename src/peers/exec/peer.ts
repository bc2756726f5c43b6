import { formatNames, formatNamesOf } from "../../formats.ts";
import type { Json } from "../../format/mod.ts";
import {
  checkReport,
  countsIn,
  failure,
  infoIn,
  isMembers,
  mapIn,
  type Members,
  membersOf,
  NO_CHECKER,
  readJson,
  ShapeError,
} from "../answers.ts";
import { type Answers, ForwardingPeer } from "../forwarding.ts";
import {
  type CheckReport,
  type DigestReport,
  type DigestScope,
  type Operation,
  type Outcome,
  type PeerDescription,
  PeerError,
  rejected,
  type Subject,
  type Taken,
  type UnlockReport,
  unsupported,
} from "../peer.ts";
import { runTool, type ToolResult } from "../tool/process.ts";
import { scrubbed, withPassphraseFiles } from "../tool/secrets.ts";

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
 * What Python and JavaScript print of an exception that was not caught. They exit with 1 then, and an
 * adapter that crashes on an image has not rejected it.
 */
const STACK = /^Traceback \(most recent call last\):$|^ {4}at .+:\d+:\d+\)?$/m;
const TAKEN: readonly Taken[] = ["passphrases", "header"];
/** The formats and operations of an adapter that does not name its own. */
const FORMATS: readonly string[] = formatNamesOf("qemu-img");
const OPERATIONS: readonly Operation[] = ["probe", "info", "map", "check", "digest"];
/** Those that came later: only an adapter that names them is queried for them. */
const MORE_OPERATIONS: readonly Operation[] = ["unlock"];

/** How an answer to each operation is read; each throws a `ShapeError`. */
const READERS: { readonly [O in keyof Answers]: (json: Json) => Answers[O] } = {
  probe: probeIn,
  info: (json) => infoIn(withNumbers(json, ["virtual-size"])),
  map: (json) =>
    mapIn(Array.isArray(json) ? json.map((entry) => withNumbers(entry, POSITIONS)) : json),
  check: checkIn,
  digest: digestIn,
  unlock: unlockIn,
};

/**
 * Any implementation that is connected by a small program, the adapter. It is called once for each question, as
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
 * | `digest-snapshot` (and a name or id) | the same of a snapshot |
 * | `digest-range` (and offset and length in bytes) | the same of a part |
 * | `unlock` | `{"slot": 3}`: the key slot of a LUKS volume that the first passphrase opens; `{}` where that is not known |
 *
 * Exit status 0 is an answer, 1 a rejection with the reason on standard error, 3 an operation or a
 * feature that is not supported; every other end is a crash, and so is 1 with a stack of Python or of
 * JavaScript. An answer of another shape is a malformed answer.
 *
 * An adapter that `describe`s itself as one that accepts `"passphrases"` gets them at the end of the
 * line: `--passphrase-file FILE` for each one, and the whole of FILE is the passphrase, in UTF-8 and
 * without a line break. The first one is that of the image, the next ones are those of its backing files
 * from the top down, the last one that of all further ones. One that accepts `"header"` gets a detached
 * LUKS header with `--header FILE`; IMAGE is the payload then. An image that requires what the adapter does
 * not accept is skipped.
 *
 * `formats` and `operations` are what it is queried for: without them, everything but volumes of
 * `luks2`, and everything but `unlock`. A passphrase that opens no key slot is a rejection.
 */
export class ExecPeer extends ForwardingPeer {
  readonly #options: ExecOptions;
  #description: Promise<PeerDescription> | undefined;

  /** A peer that calls an adapter. */
  constructor(options: ExecOptions) {
    super();
    this.#options = options;
  }

  /**
   * Name, version and operations of the implementation.
   *
   * @throws {PeerError} when the adapter cannot be started, or answers with something else
   */
  describe(): Promise<PeerDescription> {
    return this.#description ??= this.#describe();
  }

  /** Asks the adapter. */
  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope: DigestScope = {},
  ): Promise<Outcome<Answers[O]>> {
    const question = questionOf(operation, scope);
    if (question === undefined) {
      return unsupported("The adapter interface cannot read a range of a snapshot");
    }
    const { takes = [] } = needsOf(subject).length > 0 ? await this.describe() : {};
    const need = needsOf(subject).find((it) => !takes.includes(it));
    if (need !== undefined) {
      const what = need === "header" ? "detached LUKS headers" : need;
      return unsupported(`The adapter does not declare support for ${what}`);
    }
    const result = await this.#call(question, subject);
    return outcomeOf(result) ?? readJson<Answers[O]>(result, READERS[operation]);
  }

  async #describe(): Promise<PeerDescription> {
    const result = await this.#run(["describe"], {});
    const { name, version, takes, formats, operations, features } = this.#described(result);
    return {
      name: typeof name === "string" ? name : this.#options.command.join(" "),
      version: typeof version === "string" ? version : "unknown",
      operations: chosen(operations, [...OPERATIONS, ...MORE_OPERATIONS]) ?? OPERATIONS,
      formats: chosen(formats, formatNames) ?? FORMATS,
      takes: chosen(takes, TAKEN) ?? [],
      ...textsIn(features),
    };
  }

  #described(result: ToolResult): Members {
    const described = outcomeOf(result) ?? readJson(result, membersOf);
    if (described.outcome === "accepted") return described.value;
    if (described.outcome !== "malformed-answer") return {};
    const { message, printed } = described;
    throw new PeerError(`Cannot understand the adapter: describe: ${message}: '${printed}'`);
  }

  async #call([operation, ...more]: readonly string[], subject: Subject): Promise<ToolResult> {
    const { path, header, passphrases = [] } = subject;
    const apart = header === undefined ? [] : ["--header", header];
    const call = (keys: readonly string[]) =>
      this.#run([operation ?? "", path, ...more, ...apart, ...keys], subject);
    if (passphrases.length === 0) return await call([]);
    const { stderr, ...result } = await withPassphraseFiles(passphrases, (files) => {
      return call(files.flatMap((file) => ["--passphrase-file", file]));
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

/** The operation of an adapter that answers a question, and the arguments that follow the image. */
function questionOf(
  operation: keyof Answers,
  { snapshot, range }: DigestScope,
): string[] | undefined {
  if (snapshot !== undefined && range !== undefined) return undefined;
  if (snapshot !== undefined) return ["digest-snapshot", snapshot];
  if (range !== undefined) {
    return ["digest-range", `${BigInt(range.start)}`, `${BigInt(range.length)}`];
  }
  return [operation];
}

/** Those of a list that an adapter names; nothing where it names none. */
function chosen<T extends string>(named: Json | undefined, all: readonly T[]): T[] | undefined {
  return Array.isArray(named) ? all.filter((it) => named.includes(it)) : undefined;
}

/** The features of an adapter that lists them. */
function textsIn(features: Json | undefined): { readonly features?: readonly string[] } {
  if (!Array.isArray(features)) return {};
  return { features: features.filter((it) => typeof it === "string") };
}

/** What a peer has to support to answer about a subject. */
function needsOf({ passphrases = [], header }: Subject): Taken[] {
  return [
    ...(passphrases.length > 0 ? ["passphrases" as const] : []),
    ...(header === undefined ? [] : ["header" as const]),
  ];
}

const POSITIONS = ["start", "length", "offset"];

/** Numbers may come as decimal strings: not every writer of JSON keeps those above 2^53. */
function withNumbers(json: Json, keys: readonly string[]): Json {
  if (!isMembers(json)) return json;
  const exact = keys.flatMap((key) => {
    const value = json[key];
    const isDecimal = typeof value === "string" && /^\d{1,20}$/.test(value);
    return isDecimal ? [[key, Number(BigInt(value))]] : [];
  });
  return { ...json, ...Object.fromEntries(exact) };
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
      return STACK.test(message) ? { outcome: "crashed", message } : rejected(message);
    case UNSUPPORTED:
      return unsupported(message);
    default:
      return { outcome: "crashed", message: `Exit status ${end.code}: ${message}` };
  }
}

function probeIn(json: Json): { format: string } {
  const { format } = membersOf(json);
  if (typeof format === "string") return { format };
  throw new ShapeError("The answer to probe has no format");
}

/** The exit status follows from the counts, where the adapter does not give it itself. */
function checkIn(json: Json): CheckReport {
  const { "exit-status": status } = membersOf(json);
  if (status === NO_CHECKER) return { exitCode: status };
  const counts = countsIn(json);
  return typeof status === "number" ? { exitCode: status, counts } : checkReport(counts);
}

function digestIn(json: Json): DigestReport {
  const answer = membersOf(json);
  if (typeof answer["sha256"] === "string") return answer as unknown as DigestReport;
  throw new ShapeError("The answer to digest has no sha256");
}

function unlockIn(json: Json): UnlockReport {
  const { slot } = membersOf(json);
  if (slot === undefined) return {};
  if (typeof slot === "number") return { slot };
  throw new ShapeError("The answer to unlock has a slot that is not a number");
}
