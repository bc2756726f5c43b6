import { digestFile } from "./digest.ts";
import { optionValue, toolPath } from "./names.ts";
import {
  type CheckReport,
  type DigestReport,
  type DigestScope,
  type InfoReport,
  type MapEntry,
  type Outcome,
  type Peer,
  type PeerDescription,
  PeerError,
  type Subject,
} from "./peer.ts";
import { answered, failure, readCheck, readInfo, readMap } from "./qemu_img_answers.ts";
import { runTool, TOOL_TIMEOUT_MS, type ToolResult } from "./process.ts";
import { withScratch } from "./scratch.ts";

/** How qemu-img is called and bounded. */
export interface QemuImgOptions {
  /** The program and the arguments that come before the verb. */
  readonly command?: readonly string[];
  /** Milliseconds that one call may take. */
  readonly timeoutMs?: number;
  /** Bytes above which no digest is made: the content is written to a scratch file. */
  readonly digestLimit?: number;
  /** An absolute path where scratch files go; memory where the system offers it. */
  readonly scratch?: string;
}

/** Default of `digestLimit`. */
export const DIGEST_LIMIT = 256 * 1024 * 1024;

const ATTEMPTS = 3;
/** What a busy machine makes qemu-img say; the image has no part in it. */
const TRANSIENT = /Resource temporarily unavailable|unable to get accurate CPU usage/i;

/**
 * qemu-img as a peer. Answers are what the tool prints, parsed: a field that a version does not print
 * is absent.
 *
 * ```ts
 * const peer = new QemuImgPeer();
 * const info = await peer.info({ path: "disk.qcow2" });
 * ```
 */
export class QemuImgPeer implements Peer {
  readonly #command: readonly string[];
  readonly #options: QemuImgOptions;
  #description: Promise<PeerDescription> | undefined;

  constructor(options: QemuImgOptions = {}) {
    this.#command = options.command ?? ["qemu-img"];
    this.#options = options;
  }

  describe(): Promise<PeerDescription> {
    return this.#description ??= this.#describe();
  }

  async probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    const { format: _, ...unnamed } = subject;
    const info = await this.info(unnamed);
    return info.outcome === "accepted"
      ? { outcome: "accepted", value: { format: info.value.format } }
      : info;
  }

  async info(subject: Subject): Promise<Outcome<InfoReport>> {
    return readInfo(await this.ask("info", subject));
  }

  async map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    return readMap(await this.ask("map", subject));
  }

  async check(subject: Subject): Promise<Outcome<CheckReport>> {
    return readCheck(await this.ask("check", subject));
  }

  /** What the tool prints, unread; `readInfo`, `readMap` and `readCheck` make answers of it. */
  ask(verb: "info" | "map" | "check", subject: Subject): Promise<ToolResult> {
    const format = subject.format === undefined ? [] : ["-f", subject.format];
    const path = toolPath(subject.path);
    return this.#call([verb, "--output=json", "-U", ...format, "--", path], subject);
  }

  async digest(subject: Subject, scope: DigestScope = {}): Promise<Outcome<DigestReport>> {
    if (scope.snapshot !== undefined && scope.range !== undefined) {
      return { outcome: "unsupported", message: "qemu-img cannot read a range of a snapshot" };
    }
    const info = await this.info(subject);
    if (info.outcome !== "accepted") return info;
    const limit = this.#options.digestLimit ?? DIGEST_LIMIT;
    const length = scope.range?.length ?? info.value["virtual-size"];
    if (length > limit) {
      return { outcome: "unsupported", message: `The content is longer than ${limit} bytes` };
    }
    return await withScratch(async (directory) => {
      const target = `${directory}/content`;
      const format = subject.format ?? info.value.format;
      const args = conversion({ ...subject, format }, scope);
      const result = await this.#call([...args, target], subject);
      return answered(result)
        ? { outcome: "accepted", value: digestFile(target) }
        : failure(result);
    }, this.#options.scratch);
  }

  async #describe(): Promise<PeerDescription> {
    const result = await runTool([...this.#command, "--version"], this.#limits({}));
    const version = /version (\d+(?:\.\d+)*)/.exec(result.stdout)?.[1];
    if (version === undefined) {
      throw new PeerError(`Cannot ask ${this.#command.join(" ")}: it tells no version`);
    }
    return {
      name: "qemu-img",
      version,
      operations: ["probe", "info", "map", "check", "digest"],
      formats: ["raw", "qcow", "qcow2", "luks"],
    };
  }

  async #call(args: readonly string[], subject: Subject): Promise<ToolResult> {
    for (let attempt = 1;; attempt++) {
      const result = await runTool([...this.#command, ...args], this.#limits(subject));
      const failed = result.end.kind === "exited" && result.end.code !== 0;
      if (!failed || attempt === ATTEMPTS || !TRANSIENT.test(result.stderr)) return result;
    }
  }

  #limits(subject: Partial<Subject>): { timeoutMs: number; directory?: string } {
    const timeoutMs = this.#options.timeoutMs ?? TOOL_TIMEOUT_MS;
    return subject.directory === undefined
      ? { timeoutMs }
      : { timeoutMs, directory: subject.directory };
  }
}

/** Arguments of a conversion to raw, up to the name of the target. */
function conversion(subject: Subject & { format: string }, scope: DigestScope): string[] {
  const verb = ["convert", "-U", "-O", "raw"];
  const path = toolPath(subject.path);
  const { range, snapshot } = scope;
  if (range === undefined) {
    const from = snapshot === undefined ? [] : ["-l", snapshot];
    return [...verb, "-f", subject.format, ...from, "--", path];
  }
  // A number prints rounded from 2^53 on, though it holds multiples of 512 exactly.
  const start = BigInt(range.start);
  const source = [
    `driver=raw,offset=${start},size=${range.length}`,
    `file.driver=${subject.format}`,
    `file.file.filename=${optionValue(path)}`,
  ];
  return [...verb, "--image-opts", "--", source.join(",")];
}
