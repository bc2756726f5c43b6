import { formatNamesOf } from "../../formats.ts";
import { answered, failure, readCheck, readInfo, readMap } from "../answers.ts";
import {
  accepted,
  type CheckReport,
  type DigestReport,
  type DigestScope,
  type InfoReport,
  type MapEntry,
  type Outcome,
  type Peer,
  type PeerDescription,
  type Subject,
  unsupported,
} from "../peer.ts";
import { digestFile } from "../tool/digest.ts";
import type { ToolResult } from "../tool/process.ts";
import { ScratchError, withScratch } from "../tool/scratch.ts";
import { scrubbed } from "../tool/secrets.ts";
import { type CallOptions, Tool } from "../tool/tool.ts";
import { isOlder } from "../versions.ts";
import { KeptResults } from "./kept_results.ts";
import { toolPath } from "./names.ts";
import {
  type BlockOptions,
  blockOptions,
  imageOptions,
  lackedOptions,
  lackingKey,
  learnChain,
  opensByName,
  within,
} from "./options.ts";
import { withSecrets } from "./secrets.ts";

/** How qemu-img is called and bounded. */
export interface QemuImgOptions extends CallOptions {
  /** Bytes above which no digest is made: the content is written to a scratch file. */
  readonly digestLimit?: number;
  /** An absolute path where scratch files go; memory where the system offers it. */
  readonly scratch?: string;
  /**
   * Files do not change while they are queried, in a directory of their own: `info` is called once then,
   * though several questions begin with it.
   */
  readonly steady?: boolean;
}

/** Default of `digestLimit`. */
export const DIGEST_LIMIT = 256 * 1024 * 1024;

/** The first version that opens a LUKS header apart from its payload. */
const DETACHED_SINCE = "9.0";
const ATTEMPTS = 3;
/** What qemu-img prints where the scratch folder is full. */
const NO_SPACE = /No space left on device/;
/** What qemu-img prints on a busy machine, whatever the image. */
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
  readonly #tool: Tool;
  readonly #options: QemuImgOptions;
  readonly #kept = new KeptResults();

  /** A peer that calls qemu-img. */
  constructor(options: QemuImgOptions = {}) {
    this.#tool = new Tool("qemu-img", options);
    this.#options = options;
  }

  /**
   * Name, version and operations of the implementation.
   *
   * @throws {ToolError} when qemu-img does not work
   */
  async describe(): Promise<PeerDescription> {
    const version = await this.#tool.version();
    return {
      name: "qemu-img",
      version,
      operations: ["probe", "info", "map", "check", "digest"],
      formats: formatNamesOf("qemu-img"),
      takes: isOlder(version, DETACHED_SINCE) ? ["passphrases"] : ["passphrases", "header"],
    };
  }

  /** The format of an image, as the implementation detects it. */
  async probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    const { format: _, ...unnamed } = subject;
    const info = await this.info(unnamed);
    return info.outcome === "accepted" ? accepted({ format: info.value.format }) : info;
  }

  /** The answer to `info`. */
  async info(subject: Subject): Promise<Outcome<InfoReport>> {
    return await this.lacking(subject) ?? readInfo(await this.ask("info", subject));
  }

  /** The answer to `map`. */
  async map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    return await this.lacking(subject) ?? readMap(await this.ask("map", subject));
  }

  /** The answer to `check`. */
  async check(subject: Subject): Promise<Outcome<CheckReport>> {
    return await this.lacking(subject) ?? readCheck(await this.ask("check", subject));
  }

  /** Why this version cannot answer about a subject; nothing if it can. */
  async lacking({ header }: Subject): Promise<Outcome<never> | undefined> {
    if (header === undefined) return undefined;
    const version = await this.#tool.version();
    if (!isOlder(version, DETACHED_SINCE)) return undefined;
    const needed = `Detached LUKS headers require qemu-img ${DETACHED_SINCE}`;
    return unsupported(`${needed} (this is ${version})`);
  }

  /** The output of the tool; `readInfo`, `readMap` and `readCheck` parse it. */
  async ask(verb: "info" | "map" | "check", subject: Subject): Promise<ToolResult> {
    const { passphrases: _, ...keyless } = subject;
    // Nothing in the answer to `info` is encrypted.
    return await this.#opened(verb === "info" ? keyless : subject, (opened) => {
      const args = [...opened.objects, ...opened.named, "--", opened.name];
      return this.#call([verb, "--output=json", "-U", ...args], subject);
    });
  }

  /** The SHA-256 of the content, or of a part of it. */
  async digest(subject: Subject, scope: DigestScope = {}): Promise<Outcome<DigestReport>> {
    if (scope.snapshot !== undefined && scope.range !== undefined) {
      return unsupported("qemu-img cannot read a range of a snapshot");
    }
    const info = await this.info(subject);
    if (info.outcome !== "accepted") return info;
    const limit = this.#options.digestLimit ?? DIGEST_LIMIT;
    const length = scope.range?.length ?? info.value["virtual-size"];
    if (length > limit) return unsupported(`The content is longer than ${limit} bytes`);
    return await withScratch(async (directory) => {
      const target = `${directory}/content`;
      const format = subject.format ?? info.value.format;
      const result = await this.#opened({ ...subject, format }, (opened) => {
        return this.#call([...conversion(opened, scope), target], subject);
      });
      if (answered(result)) return accepted(digestFile(target));
      if (!NO_SPACE.test(result.stderr)) return failure(result);
      throw new ScratchError(`Cannot write to the scratch folder: ${result.stderr.trim()}`);
    }, this.#options.scratch);
  }

  /** Hands `use` the arguments that open an image, with secrets where they are needed. */
  async #opened(
    subject: Subject,
    use: (opened: OpenArguments) => Promise<ToolResult>,
  ): Promise<ToolResult> {
    const { passphrases = [], header } = subject;
    const asks = header !== undefined || passphrases.length > 0;
    const learned = asks
      ? await learnChain(subject, (args) => this.#call(args, subject))
      : undefined;
    // A malformed answer comes again, to the question itself.
    const chain = learned?.outcome === "accepted" ? learned.value : [];
    const withOptions = (options: BlockOptions) =>
      withSecrets(
        passphrases,
        (objects) => {
          return use({ objects, named: ["--image-opts"], name: imageOptions(options), options });
        },
        this.#options.scratch,
      );
    if (!opensByName(subject, chain)) {
      const format = subject.format ?? chain[0]?.format ?? "raw";
      return await withOptions(blockOptions({ ...subject, format }, chain));
    }
    const result = await use(byName(subject));
    // An image that `info` rejects may open for another question: the error names the missing key.
    const lacking = asks && chain.length === 0 ? lackingKey(result.stderr) : undefined;
    return lacking === undefined ? result : await withOptions(lackedOptions(subject, lacking));
  }

  async #call(args: readonly string[], subject: Subject): Promise<ToolResult> {
    const call = () => this.#attempt(args, subject);
    const { directory, patienceMs } = subject;
    const keeps = this.#options.steady === true && directory !== undefined && args[0] === "info";
    const key = JSON.stringify([args, directory, patienceMs]);
    const result = await (keeps ? this.#kept.once(key, call) : call());
    return { ...result, stderr: scrubbed(result.stderr, subject.passphrases) };
  }

  async #attempt(args: readonly string[], subject: Subject): Promise<ToolResult> {
    for (let attempt = 1;; attempt++) {
      const result = await this.#tool.run(args, subject);
      const failed = result.end.kind === "exited" && result.end.code !== 0;
      if (!failed || attempt >= ATTEMPTS || !TRANSIENT.test(result.stderr)) return result;
    }
  }
}

/** Arguments that open an image: `objects` and `named` come before the terminator, `name` after it. */
interface OpenArguments {
  readonly objects: readonly string[];
  readonly named: readonly string[];
  readonly name: string;
  /** The same as the options of a block device. */
  readonly options: BlockOptions;
}

/** An image without options. */
function byName({ path, format }: Subject): OpenArguments {
  const name = toolPath(path);
  const named = format === undefined ? [] : ["-f", format];
  const options = { driver: format ?? "raw", "file.filename": name };
  return { objects: [], named, name, options };
}

/** Arguments of a conversion to raw, up to the name of the target. */
function conversion(opened: OpenArguments, { range, snapshot }: DigestScope): string[] {
  const { objects, named, name, options } = opened;
  const verb = ["convert", "-U", "-O", "raw", ...objects];
  if (range === undefined) {
    return [...verb, ...named, ...(snapshot === undefined ? [] : ["-l", snapshot]), "--", name];
  }
  // A number from 2^53 on is printed rounded, though multiples of 512 are exact.
  const part = { driver: "raw", offset: `${BigInt(range.start)}`, size: `${range.length}` };
  return [...verb, "--image-opts", "--", imageOptions({ ...part, ...within("file", options) })];
}
