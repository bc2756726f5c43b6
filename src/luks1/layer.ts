import { type ByteSource, roundUp, SECTOR } from "../bytes/mod.ts";
import {
  AccessError,
  type Broken,
  type Layer,
  type LayerInfo,
  readSectors,
  type Run,
} from "../format/mod.ts";
import type { Luks1Header } from "./decode.ts";
import { luks1Info } from "./info.ts";
import { Luks1Volume } from "./volume.ts";

/** What a layer is made of. */
export interface OpenedLuks {
  readonly header: Luks1Header;
  /** What holds the payload: the file with the header, or another one. */
  readonly payload: ByteSource;
  /** The content, or why it cannot be read. */
  readonly access: Luks1Volume | Broken;
}

/** A LUKS volume as a layer. It has no `check`: the format keeps no refcounts. */
export class Luks1Layer implements Layer {
  readonly format = "luks";
  readonly virtualSize: number;
  readonly clusterSize = SECTOR;
  readonly encrypted = true;
  readonly dirty = false;
  readonly header: Luks1Header;
  readonly #payload: ByteSource;
  readonly #offset: number;
  readonly #access: Luks1Volume | Broken;

  /** @param opened with a payload that starts inside its file */
  constructor({ header, payload, access }: OpenedLuks) {
    this.header = header;
    this.#payload = payload;
    this.#access = access;
    this.#offset = header.payload_offset * SECTOR;
    this.virtualSize = roundUp(payload.size, SECTOR) - this.#offset;
  }

  /** A passphrase has opened it. */
  get unlocked(): boolean {
    return this.#access instanceof Luks1Volume;
  }

  /** All of it is data, and QEMU does not say where. */
  *runs(from: number, to: number): Generator<Run> {
    const broken = this.#access instanceof Luks1Volume ? {} : { broken: this.#access };
    if (from < to) yield { start: from, length: to - from, kind: "data", ...broken };
  }

  /** What the file lacks of the last sector reads as zeros, and is decrypted like the rest. */
  readRun(run: Run, skip: number, target: Uint8Array): void {
    if (!(this.#access instanceof Luks1Volume)) throw new AccessError(this.#access);
    const volume = this.#access;
    readSectors(target, run.start + skip, {
      read: (sectors, from) => this.#payload.readInto(this.#offset + from, sectors),
      decrypt: (sectors, from) => volume.decryptSectors(sectors, BigInt(from / SECTOR)),
    });
  }

  info(): LayerInfo {
    return {
      "dirty-flag": false,
      encrypted: true,
      "format-specific": { type: "luks", data: luks1Info(this.header) },
    };
  }

  /** An open has looked at all there is. */
  judge(): void {}
}
