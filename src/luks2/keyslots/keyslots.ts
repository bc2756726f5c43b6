import type { JsonNode } from "../json/value.ts";
import {
  base64,
  int32,
  member,
  members,
  numberOf,
  text,
  texts,
  uint32,
  uint64,
} from "../json/access.ts";

/** How a passphrase becomes a key. */
export interface Kdf {
  /** `pbkdf2`, `argon2i` or `argon2id`; any text. */
  readonly type: string;
  readonly hash: string;
  /** Iterations of PBKDF2. */
  readonly iterations: number;
  /** Passes of Argon2. */
  readonly time: number;
  /** KiB that Argon2 fills. */
  readonly memory: number;
  /** Lanes of Argon2. */
  readonly cpus: number;
  /** `undefined` where it is no base64. */
  readonly salt: Uint8Array | undefined;
}

/** A key slot, as far as it says what it has to. */
export interface Keyslot {
  readonly name: string;
  /** What the name stands for. */
  readonly number: number;
  readonly node: JsonNode;
  /** `luks2` or `reencrypt`; any text. */
  readonly type: string;
  /** Length of the key in it, in bytes. */
  readonly keyBytes: number;
  /** 2: tried first; 1: tried; 0, or anything else: not tried unless asked for. */
  readonly priority: number;
  readonly kdf: Kdf;
  readonly af: { readonly hash: string; readonly stripes: number };
  readonly area: {
    readonly offset: bigint;
    readonly size: bigint;
    /** Cipher in the notation of dm-crypt. */
    readonly encryption: string;
    /** Length of its key, in bytes. */
    readonly keyBytes: number;
  };
}

/** All key slots, in the order in which they stand in the JSON, which is that of trying them. */
export function keyslotsOf(root: JsonNode | undefined): Keyslot[] {
  return members(member(root, "keyslots")).map(([name, node]) => keyslotOf(name, node));
}

function keyslotOf(name: string, node: JsonNode): Keyslot {
  const area = member(node, "area");
  const af = member(node, "af");
  return {
    name,
    number: numberOf(name),
    node,
    type: text(member(node, "type")) ?? "",
    keyBytes: uint32(member(node, "key_size")) ?? 0,
    priority: priorityOf(member(node, "priority")),
    kdf: kdfOf(member(node, "kdf")),
    af: { hash: text(member(af, "hash")) ?? "", stripes: int32(member(af, "stripes")) ?? 0 },
    area: {
      offset: uint64(member(area, "offset")) ?? 0n,
      size: uint64(member(area, "size")) ?? 0n,
      encryption: text(member(area, "encryption")) ?? "",
      keyBytes: int32(member(area, "key_size")) ?? 0,
    },
  };
}

const INT32_MAX = 2 ** 31 - 1;

/** A slot without a priority has the normal one; what is no integer becomes one as in C. */
function priorityOf(node: JsonNode | undefined): number {
  if (node === undefined) return 1;
  if (node.kind === "string") return Number.parseInt(node.text, 10) || 0;
  if (node.kind === "double" || node.kind === "boolean") {
    return Math.trunc(Math.min(INT32_MAX, Math.max(-INT32_MAX, node.value))) || 0;
  }
  return int32(node) ?? 0;
}

function kdfOf(node: JsonNode | undefined): Kdf {
  const cost = (name: string) => int32(member(node, name)) ?? 0;
  return {
    type: text(member(node, "type")) ?? "",
    hash: text(member(node, "hash")) ?? "",
    iterations: cost("iterations"),
    time: cost("time"),
    memory: cost("memory"),
    cpus: cost("cpus"),
    salt: base64(member(node, "salt")),
  };
}

/** A digest, as far as it says what it has to. */
export interface Digest {
  readonly name: string;
  readonly node: JsonNode;
  readonly type: string;
  readonly keyslots: readonly string[];
  readonly segments: readonly string[];
  readonly hash: string;
  readonly iterations: number;
  /** `undefined` where it is no base64. */
  readonly salt: Uint8Array | undefined;
  /** `undefined` where it is no base64. */
  readonly digest: Uint8Array | undefined;
}

/** All digests, in the order in which they stand in the JSON. */
export function digestsOf(root: JsonNode | undefined): Digest[] {
  return members(member(root, "digests")).map(([name, node]) => {
    const iterations = member(node, "iterations");
    return {
      name,
      node,
      type: text(member(node, "type")) ?? "",
      keyslots: texts(member(node, "keyslots")) ?? [],
      segments: texts(member(node, "segments")) ?? [],
      hash: text(member(node, "hash")) ?? "",
      // cryptsetup takes the low 32 bits.
      iterations: iterations?.kind === "int" ? Number(BigInt.asUintN(32, iterations.value)) : 0,
      salt: base64(member(node, "salt")),
      digest: base64(member(node, "digest")),
    };
  });
}
