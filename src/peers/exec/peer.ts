import type { Json } from "../../format/mod.ts";
import { type AdapterOptions, AdapterPeer } from "../adapter/peer.ts";
import { descriptionIn } from "../adapter/description.ts";
import type { AdapterRequest } from "../adapter/request.ts";
import { failure, membersOf, readJson } from "../answers.ts";
import {
  type Outcome,
  type PeerDescription,
  PeerError,
  rejected,
  type Subject,
  unsupported,
} from "../peer.ts";
import { runTool, type ToolResult } from "../tool/process.ts";
import { scrubbed, withPassphraseFiles } from "../tool/secrets.ts";

/** How an adapter is called and bounded. */
export interface ExecOptions extends AdapterOptions {
  /** The program, and the arguments that come before the operation. */
  readonly command: readonly string[];
}

/** Exit status of an adapter, beside 0 for an answer. */
const REJECTED = 1;
const UNSUPPORTED = 3;
/**
 * What Python and JavaScript print of an exception that was not caught. They exit with 1 then, and an
 * adapter that crashes on an image has not rejected it.
 */
const STACK = /^Traceback \(most recent call last\):$|^ {4}at .+:\d+:\d+\)?$/m;

/**
 * An adapter that is called once for each question, as `COMMAND OPERATION IMAGE`, in the folder of the
 * image, and prints its answer as JSON. docs/adapter.md has the operations and their answers.
 *
 * Exit status 0 is an answer, 1 a rejection with the reason on standard error, 3 an operation or a
 * feature that is not supported; every other end is a crash, and so is 1 with a stack of Python or of
 * JavaScript. An answer of another shape is a malformed answer.
 */
export class ExecPeer extends AdapterPeer {
  readonly #options: ExecOptions;

  /** A peer that calls an adapter. */
  constructor(options: ExecOptions) {
    super(options);
    this.#options = options;
  }

  /** Calls the adapter without an image. */
  protected override async describeOnce(): Promise<PeerDescription> {
    const result = await this.#run(["describe"], {});
    const described = outcomeOf(result) ?? readJson(result, (json) => {
      this.checkStrictly("hello", json);
      return membersOf(json);
    });
    if (described.outcome === "malformed-answer") {
      const { message, printed } = described;
      throw new PeerError(`Cannot understand the adapter: describe: ${message}: '${printed}'`);
    }
    const members = described.outcome === "accepted" ? described.value : {};
    return descriptionIn(members, this.#options.command.join(" "));
  }

  /** Calls the adapter. */
  protected override async answer<T>(
    request: AdapterRequest,
    subject: Subject,
    read: (json: Json) => T,
  ): Promise<Outcome<T>> {
    const result = await this.#call(request, subject);
    return outcomeOf(result) ?? readJson<T>(result, read);
  }

  async #call(request: AdapterRequest, subject: Subject): Promise<ToolResult> {
    const { operation, image, snapshot, offset, length, header, passphrases = [] } = request;
    const more = [snapshot, offset, length].filter((it) => it !== undefined);
    const apart = header === undefined ? [] : ["--header", header];
    const call = (keys: readonly string[]) =>
      this.#run([operation, image, ...more, ...apart, ...keys], subject);
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
