import type { MaterialKind } from "../crypto/mod.ts";
import type { Pattern } from "../format/mod.ts";
import type { CipherSpec } from "./decode.ts";

/**
 * The model of a LUKS volume: a small plain value that says everything about it. `buildLuks1` turns it
 * into bytes. A model is JSON.
 */

/** A key slot in use. */
export interface KeyModel {
  /** 0 to 7. */
  readonly slot: number;
  /** The passphrase. */
  readonly passphrase: string;
  /** Iterations of PBKDF2. */
  readonly iterations: number;
}

/** A LUKS volume of version 1. */
export interface Luks1Model {
  /** Marks a model of this format. */
  readonly format: "luks";
  /** Cipher, mode and hash. */
  readonly spec: CipherSpec;
  /** Master key, salts, stripes and what is left of erased keys follow from it. */
  readonly seed: number;
  /** The UUID of the volume. */
  readonly uuid: string;
  /** Iterations of the digest of the master key. */
  readonly digestIterations: number;
  /** At least one, in the order of their slots. */
  readonly keys: readonly KeyModel[];
  /** Slots that had a key once: random bytes are in their key material, or zeros where it is sparse. */
  readonly erased: readonly number[];
  /** What key material is made of; `noise` where it is absent, `sparse` for what is to compress. */
  readonly material?: MaterialKind;
  /** Sectors left free between the key material and the payload. */
  readonly gap: number;
  /** Header and payload are files of their own. */
  readonly detached: boolean;
  /** The file of a detached header ends behind the key material of the last slot in use. */
  readonly cutHeader: boolean;
  /** Length of the payload in bytes, a multiple of 512. */
  readonly size: number;
  /** The content. */
  readonly pattern: Pattern;
  /** Bytes of a sector behind it, 0 to 511, that the file ends in. */
  readonly tail: number;
}
