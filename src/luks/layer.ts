import type { ByteSource } from "../bytes/mod.ts";
import {
  AccessError,
  type Broken,
  type Layer,
  type LayerInfo,
  readSectors,
  type Run,
} from "../format/mod.ts";
import type { LuksHeader } from "./decode.ts";
import { roundUp, SECTOR } from "./geometry.ts";
import { luksInfo } from "./info.ts";
import { LuksVolume } from "./volume.ts";

/** What a layer is made of. */
export interface OpenedLuks {
  readonly header: LuksHeader;
  /** What holds the payload: the file with the header, or another one. */
  readonly payload: ByteSource;
  /** The content, or why it cannot be read. */
  readonly access: LuksVolume | Broken;
}

/** A LUKS volume as a layer. It has no `check`: the format keeps no refcounts. */
export class LuksLayer implements Layer {
  readonly format = "luks";
  readonly virtualSize: number;
  readonly clusterSize = SECTOR;
  readonly encrypted = true;
  readonly dirty = false;
  readonly header: LuksHeader;
  readonly #payload: ByteSource;
  readonly #offset: number;
  readonly #access: LuksVolume | Broken;

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
    return this.#access instanceof LuksVolume;
  }

  /** All of it is data, and QEMU does not say where. */
  *runs(from: number, to: number): Generator<Run> {
    const broken = this.#access instanceof LuksVolume ? {} : { broken: this.#access };
    if (from < to) yield { start: from, length: to - from, kind: "data", ...broken };
  }

  /** What the file lacks of the last sector reads as zeros, and is decrypted like the rest. */
  readRun(run: Run, skip: number, target: Uint8Array): void {
    if (!(this.#access instanceof LuksVolume)) throw new AccessError(this.#access);
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
      "format-specific": { type: "luks", data: luksInfo(this.header) },
    };
  }

  /** An open has looked at all there is. */
  judge(): void {}
}
