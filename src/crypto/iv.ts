import type { BlockCipher } from "./block.ts";
import { blockCipher } from "./block_cipher.ts";
import { type CipherName, cipherTable } from "./ciphers.ts";
import { essivHash } from "./essiv_hash.ts";
import { namesOf, type Table, tableOf } from "./table.ts";

/**
 * The way to compute the initialization vector of a sector from its number, as a LUKS header names
 * it.
 */
export type IvGenerator =
  | "plain"
  | "plain64"
  | "plain64be"
  | "essiv"
  | "null"
  | "benbi"
  | "eboiv";

/** The facts of one IV generator. */
export interface IvFacts {
  /** The vector of sector number n. Bytes that are not mentioned are zero. */
  readonly definition: string;
  /** Whether the generator needs a hash, which a header names after a colon. */
  readonly takesHash: boolean;
  /** Whether QEMU knows it (QEMU 10.0, crypto/ivgen.c). */
  readonly qemu: boolean;
}

function facts(definition: string, options: Partial<IvFacts> = {}): IvFacts {
  return Object.freeze({ definition, takesHash: false, qemu: false, ...options });
}

/**
 * Every IV generator that can be used. All are those of cryptsetup (lib/crypto_backend/
 * crypto_storage.c), which are dm-crypt's; QEMU's definitions of the three that it knows are the
 * same.
 *
 * Where cryptsetup and dm-crypt differ, this follows cryptsetup, which always encrypts key slots
 * itself, and content when it reencrypts without the kernel. `whyNotAsDmCrypt` says in which modes
 * they differ.
 */
export const ivTable: Table<IvGenerator, IvFacts> = tableOf({
  plain: facts("n modulo 2^32, little-endian", { qemu: true }),
  plain64: facts("n as 64 bits, little-endian", { qemu: true }),
  plain64be: facts("n as 64 bits, big-endian, in the last eight bytes"),
  essiv: facts("plain64, encrypted under the hash of the volume key", {
    takesHash: true,
    qemu: true,
  }),
  null: facts("zero"),
  benbi: facts("1 + n × blocks in 512 bytes as 64 bits, big-endian, in the last eight bytes"),
  eboiv: facts("n × bytes in a sector as 64 bits, little-endian, encrypted under the volume key"),
});

/** The names of {@link ivTable}. */
export const ivGenerators: readonly IvGenerator[] = namesOf<IvGenerator>(ivTable);

/** Whether a name, as spelled in a header, is that of an IV generator. */
export function isIvGenerator(name: string): name is IvGenerator {
  return ivTable[name] !== undefined;
}

/** The parameters of the vectors of a volume, besides its key. */
export interface IvOptions {
  readonly cipher: CipherName;
  readonly ivGenerator: IvGenerator;
  /** For `essiv`, which requires it. */
  readonly ivHash: string | undefined;
  /** Bytes in a sector: a power of two. */
  readonly sectorSize: number;
}

/** Fills an array with the vectors, one block each, of consecutive sectors from a number on. */
export type IvSource = (ivs: Uint8Array, firstSector: bigint) => void;

/** The IV generator of a volume under its key. The options and the key fit each other. */
export function ivSource(options: IvOptions, key: Uint8Array): IvSource {
  const { cipher, ivGenerator, sectorSize } = options;
  const { blockSize } = cipherTable[cipher];
  const write = WRITERS[ivGenerator]({ blockSize, sectorSize });
  const encryptor = encryptorOf(options, key);
  return (ivs, firstSector) => {
    ivs.fill(0);
    const view = new DataView(ivs.buffer, ivs.byteOffset, ivs.byteLength);
    let low = Number(firstSector & 0xffffffffn);
    let high = Number((firstSector >> 32n) & 0xffffffffn);
    for (let at = 0; at < ivs.length; at += blockSize) {
      write(view, { at, low, high });
      low += sectorSize / SECTOR_UNIT;
      if (low >= 2 ** 32) {
        low -= 2 ** 32;
        high = (high + 1) >>> 0;
      }
    }
    encryptor?.encryptBlocks(ivs);
  };
}

/** Sectors are counted in this many bytes, whatever their size. */
export const SECTOR_UNIT = 512;

/** A vector that starts at `at`, for a sector whose number has the halves `low` and `high`. */
interface Vector {
  readonly at: number;
  readonly low: number;
  readonly high: number;
}

type Writer = (view: DataView, vector: Vector) => void;

const LITTLE: Writer = (view, { at, low, high }) => {
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
};

/** The number times a power of two, plus a number below that, in the last eight bytes. */
function big(blockSize: number, { shift, plus }: { shift: number; plus: number }): Writer {
  return (view, { at, low, high }) => {
    const end = at + blockSize;
    view.setUint32(end - 8, (high << shift) | (shift === 0 ? 0 : low >>> (32 - shift)));
    view.setUint32(end - 4, (low << shift) | plus);
  };
}

const WRITERS: Readonly<
  Record<IvGenerator, (sizes: { blockSize: number; sectorSize: number }) => Writer>
> = {
  plain: () => (view, { at, low }) => view.setUint32(at, low, true),
  plain64: () => LITTLE,
  plain64be: ({ blockSize }) => big(blockSize, { shift: 0, plus: 0 }),
  essiv: () => LITTLE,
  null: () => () => {},
  benbi: ({ blockSize }) => big(blockSize, { shift: Math.log2(SECTOR_UNIT / blockSize), plus: 1 }),
  eboiv: ({ sectorSize }) => (view, { at, low, high }) => {
    const shift = Math.log2(sectorSize);
    LITTLE(view, { at, low: low << shift, high: (high << shift) | (low >>> (32 - shift)) });
  },
};

/** The cipher that encrypts the vectors, if they are encrypted. */
function encryptorOf(
  { cipher, ivGenerator, ivHash }: IvOptions,
  key: Uint8Array,
): BlockCipher | undefined {
  switch (ivGenerator) {
    case "essiv": {
      const digest = essivHash(ivHash ?? "")?.digest(key);
      return digest && blockCipher(cipher, digest);
    }
    case "eboiv":
      return blockCipher(cipher, key);
    default:
      return undefined;
  }
}
