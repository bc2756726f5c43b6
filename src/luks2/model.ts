import type { MaterialKind } from "../crypto/mod.ts";
import type { Pattern } from "../format/mod.ts";

/**
 * The model of a LUKS2 volume: a small plain value that describes it completely. `buildLuks2` turns
 * it into bytes. A model is JSON.
 */

/** Derivation of the key of a slot from a passphrase. */
export type KdfModel =
  | { readonly type: "pbkdf2"; readonly hash: string; readonly iterations: number }
  | {
    readonly type: "argon2i" | "argon2id";
    /** Passes. */
    readonly time: number;
    /** KiB. */
    readonly memory: number;
    /** Lanes. */
    readonly cpus: number;
  };

/** A key slot. */
export interface Luks2KeyModel {
  /** 0 to 31. */
  readonly slot: number;
  /** The passphrase. */
  readonly passphrase: string;
  /** How the passphrase becomes a key. */
  readonly kdf: KdfModel;
  /** 2: attempted first; 1: attempted; 0: attempted only on request. */
  readonly priority: 0 | 1 | 2;
}

/** State of a copy of the header. */
export type CopyState = "sound" | "garbled" | "missing" | "older";

/** A LUKS2 volume. */
export interface Luks2Model {
  /** Marks a model of this format. */
  readonly format: "luks2";
  /** Determines the volume key, salts, stripes and the garbled copy. */
  readonly seed: number;
  /** The UUID of the volume. */
  readonly uuid: string;
  /** The label. */
  readonly label: string;
  /** The subsystem. */
  readonly subsystem: string;
  /** Sequence number of the sound copies. */
  readonly seqid: number;
  /** Length of one copy: 0x4000, or a larger power of two up to 0x400000. */
  readonly headerSize: number;
  /** Free bytes after the last area of the key slots, a multiple of 4096. */
  readonly spare: number;
  /** The state of the primary copy. */
  readonly primary: CopyState;
  /** `sound` if the primary copy is not. */
  readonly secondary: CopyState;
  /** Cipher of the segment and of the areas, in the notation of dm-crypt. */
  readonly encryption: string;
  /** Length of the volume key in bytes. */
  readonly keyBytes: number;
  /** 512, 1024, 2048 or 4096. */
  readonly sectorSize: number;
  /** Added to the sector number for the IV. */
  readonly ivTweak: number;
  /** The hash of the digest and of the anti-forensic splitter. */
  readonly hash: string;
  /** The hash of the checksums. */
  readonly checksum: string;
  /** Iterations of the digest of the volume key. */
  readonly digestIterations: number;
  /** At least one, of which one has a priority other than 0. */
  readonly keys: readonly Luks2KeyModel[];
  /** Kind of key material: `noise` by default, or `sparse`, which compresses. */
  readonly material?: MaterialKind;
  /** Tokens that name all key slots. */
  readonly tokens: number;
  /** Header and payload are in separate files. */
  readonly detached: boolean;
  /** The segment has a size, instead of extending to the end of its file. */
  readonly fixed: boolean;
  /** Length of the payload in bytes, a multiple of the sector size, and not 0. */
  readonly size: number;
  /** The content. */
  readonly pattern: Pattern;
}
