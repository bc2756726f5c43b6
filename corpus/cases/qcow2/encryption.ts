/** Images of a rule of encrypted disks that only reading with the passphrase finds. */

import { encode, offsetOf } from "../../../src/layout/mod.ts";
import { encryptionPointer } from "../../../src/qcow2/mod.ts";
import type { SingleImage } from "../case.ts";
import { bytes, type CaseEdit } from "../edit.ts";
import { pairImage } from "../families/pairs.ts";

const RULE = "qcow2.ext.crypto-material-range";
/** An encrypted image of which the first key slot is in use, and where its key material ends. */
const locked = pairImage("v3-512-2-zstd-standard-luks");
const MATERIAL_END = 4096 + 4000 * 32;

/** The length of the encryption header becomes another one. */
export function encryptionLength(length: bigint): CaseEdit {
  const at = offsetOf(encryptionPointer, "length");
  const pointer = encode(encryptionPointer, { offset: 0n, length });
  return bytes("/extension[0]/data", pointer.subarray(at), at);
}

function withLength(does: "breaks" | "keeps", length: number): SingleImage {
  return {
    ...locked,
    name: `${RULE}-${does}`,
    rule: RULE,
    does,
    shows:
      `the encryption header is said to have ${length} bytes; key material ends at ${MATERIAL_END}`,
    edits: [...locked.edits, encryptionLength(BigInt(length))],
  };
}

/** Encrypted images. */
export const qcow2Encrypted: readonly SingleImage[] = [
  withLength("breaks", MATERIAL_END - 512),
  withLength("keeps", MATERIAL_END),
];
