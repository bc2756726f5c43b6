import { type ByteSource, startsWith } from "../bytes/mod.ts";

/** One of the texts that identify a format, and where it is. */
export interface Magic {
  /** In bytes; for a place near the end, computed from the size of the file. */
  readonly offset: number | ((size: number) => number);
  readonly bytes: Uint8Array;
}

/** How libblkid recognises the superblock, label or partition table of a format. */
export interface Signature {
  /** libblkid's name: `ext4`. */
  readonly name: string;
  /** For a person: `an ext4 superblock`. */
  readonly title: string;
  /** The file in libblkid/src of util-linux 2.38 that describes it. */
  readonly section: string;
  /** Alternatives; the first one that is in the file decides. */
  readonly magics: readonly Magic[];
  /** Size of the smallest file in which libblkid looks for it. */
  readonly sizeMin: number;
  /** What libblkid requires beyond the magic. */
  readonly check?: (file: Fields, magic: Uint8Array, offset: number) => boolean;
}

/** Numbers and texts at places of a file. Bytes past its end are zeros. */
export class Fields {
  readonly size: number;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
    this.size = source.size;
  }

  bytes(at: number, length: number): Uint8Array {
    return this.#source.read(at, length);
  }

  byte(at: number): number {
    return this.#source.read(at, 1)[0] as number;
  }

  /** Whether the file has these bytes at a place. Those of a text are its characters. */
  has(at: number, bytes: Uint8Array | string): boolean {
    const wanted = typeof bytes === "string" ? latin1(bytes) : bytes;
    return at >= 0 && at + wanted.length <= this.size &&
      startsWith(this.#source.read(at, wanted.length), wanted);
  }

  /** A little-endian number of at most six bytes. */
  little(at: number, width: 2 | 4 | 6): number {
    return this.bytes(at, width).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  /** A big-endian number of at most six bytes. */
  big(at: number, width: 2 | 4 | 6): number {
    return this.bytes(at, width).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** A little-endian number of 64 bits. */
  little64(at: number): bigint {
    return this.bytes(at, 8).reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
  }

  /** A big-endian number of 64 bits. */
  big64(at: number): bigint {
    return this.bytes(at, 8).reduce((value, byte) => value << 8n | BigInt(byte), 0n);
  }
}

/** The bytes of a text whose characters are below 256. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Whether a number is a power of two. */
export function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}
