import { KeptKeys } from "../../src/crypto/mod.ts";

/**
 * Keys of generated volumes, of which most are of a few dozen. Each slot is opened in full once; after
 * that, one with the same bytes costs a digest of them.
 */
export const keptKeys: KeptKeys = new KeptKeys(2 ** 12);
