import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  CryptsetupPeer,
  ExecPeer,
  JsonlPeer,
  ModulePeer,
  type Peer,
  QemuImgPeer,
  ReferencePool,
} from "../peers/mod.ts";
import { UsageError } from "./verb.ts";

/** The ways to name an implementation, for the help of a verb. */
export const PEERS_HELP = `  reference            diskproof's own implementation
  qemu-img             qemu-img on the PATH, or qemu-img:COMMAND
  cryptsetup           cryptsetup on the PATH, or cryptsetup:COMMAND; for LUKS volumes alone
  jsonl:COMMAND        an adapter that runs on and answers requests on its standard input
  exec:COMMAND         an adapter that is called once for each question
  module:FILE          an adapter in TypeScript or JavaScript, run in a worker`;

const KINDS = ["reference", "qemu-img", "cryptsetup", "jsonl", "exec", "module"] as const;

/** How an implementation is connected. */
export type PeerKind = typeof KINDS[number];

/** An implementation that the command line names. */
export interface NamedPeer {
  /** As on the command line. */
  readonly text: string;
  readonly kind: PeerKind;
  /** Its command, with full paths; the file of a module. */
  readonly command: readonly string[];
  readonly peer: Peer;
  /**
   * What its answers are compared with: the tools and the reference with what is recorded of the
   * tools, and every other implementation with what the format expects.
   */
  readonly comparedWith: "record" | "format";
}

/** Limits of an implementation, and how strictly it is checked. */
export interface NamedPeerOptions {
  /** Milliseconds that one answer may take. */
  readonly timeoutMs?: number;
  /** Bytes of resident memory of a `jsonl:` adapter. */
  readonly memoryLimit?: number;
  /** The folder that names of files in the text are relative to; the working directory by default. */
  readonly directory?: string;
  /** How many adapters answer at the same time. */
  readonly atOnce?: number;
  /** Compares the requests and answers of adapters with the schemas of the protocol. */
  readonly strict?: boolean;
}

/**
 * The implementation that a text on the command line names.
 *
 * @throws {UsageError} when it names none
 */
export function namedPeer(text: string, options: NamedPeerOptions = {}): NamedPeer {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? "" : text.slice(colon + 1).trim();
  const kind = KINDS.find((it) => it === name);
  const isAdapter = kind === "jsonl" || kind === "exec" || kind === "module";
  const isWrong = isAdapter && rest === "" || kind === "reference" && colon >= 0;
  if (kind === undefined || isWrong) {
    throw new UsageError(
      `'${text}' is not reference, qemu-img, cryptsetup, jsonl:COMMAND, exec:COMMAND or module:FILE`,
    );
  }
  const { directory = "." } = options;
  const command = kind === "module" ? [resolve(directory, rest)] : commandOf(rest, directory);
  const peer = peerOf(kind, command, options);
  return { text, kind, command, peer, comparedWith: isAdapter ? "format" : "record" };
}

function peerOf(kind: PeerKind, command: readonly string[], options: NamedPeerOptions): Peer {
  const { timeoutMs } = options;
  const called = {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(command.length === 0 ? {} : { command }),
  };
  switch (kind) {
    case "reference":
      return new ReferencePool();
    case "qemu-img":
      return new QemuImgPeer({ ...called, steady: true });
    case "cryptsetup":
      return new CryptsetupPeer(called);
    case "exec":
      return new ExecPeer({ ...options, command });
    case "jsonl":
      return new JsonlPeer({ ...options, command });
    case "module":
      return new ModulePeer({ ...options, url: pathToFileURL(command[0] ?? "").href });
  }
}

/**
 * The words of a command. An adapter may run in another folder, so words that name files get their
 * full path.
 */
function commandOf(text: string, directory: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "").map((word, index) => {
    const path = resolve(directory, word);
    return (index > 0 || word.includes("/")) && isFile(path) ? path : word;
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
