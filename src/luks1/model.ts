import type { MaterialKind } from "../crypto/mod.ts";
import type { Pattern } from "../format/mod.ts";
import type { CipherSpec } from "./decode.ts";

/**
 * The model of a LUKS volume: a small plain value that describes it completely. `buildLuks1` turns it
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
  /** Determines the master key, salts, stripes and the remains of erased keys. */
  readonly seed: number;
  /** The UUID of the volume. */
  readonly uuid: string;
  /** Iterations of the digest of the master key. */
  readonly digestIterations: number;
  /** At least one, in the order of their slots. */
  readonly keys: readonly KeyModel[];
  /** Slots with an erased key: their key material is random bytes, or zeros if it is sparse. */
  readonly erased: readonly number[];
  /** Kind of key material: `noise` by default, or `sparse`, which compresses. */
  readonly material?: MaterialKind;
  /** Free sectors between the key material and the payload. */
  readonly gap: number;
  /** Header and payload are in separate files. */
  readonly detached: boolean;
  /** The file of a detached header ends after the key material of the last slot in use. */
  readonly cutHeader: boolean;
  /** Length of the payload in bytes, a multiple of 512. */
  readonly size: number;
  /** The content. */
  readonly pattern: Pattern;
  /** Length of an incomplete sector after it, 0 to 511 bytes. */
  readonly tail: number;
}
