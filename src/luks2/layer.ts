import type { ByteSource } from "../bytes/mod.ts";
import type { SectorCipher } from "../crypto/mod.ts";
import { AccessError, type Layer, type LayerInfo, type Run } from "../format/mod.ts";
import type { Content } from "./content.ts";
import { roundUp, SECTOR } from "./geometry.ts";
import { luks2Info } from "./info.ts";
import type { ChosenCopy, Metadata } from "./metadata.ts";
import type { Luks2Broken } from "./report.ts";

/** What a layer is made of. */
export interface OpenedLuks2 {
  readonly chosen: ChosenCopy & { readonly metadata: Metadata };
  readonly content: Content;
  /** What holds the payload: the file with the header, or another one. */
  readonly payload: ByteSource;
  /** What decrypts the content, or why it cannot be read. */
  readonly access: SectorCipher | Luks2Broken;
}

/** A LUKS2 volume as a layer. It has no `check`: the format keeps no refcounts. */
export class Luks2Layer implements Layer {
  readonly format = "luks2";
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly encrypted = true;
  readonly dirty = false;
  readonly #opened: OpenedLuks2;

  constructor(opened: OpenedLuks2) {
    this.#opened = opened;
    this.virtualSize = opened.content.length;
    const { access } = opened;
    this.clusterSize = "decrypt" in access ? access.sectorSize : SECTOR;
  }

  /** A passphrase has opened it. */
  get unlocked(): boolean {
    return "decrypt" in this.#opened.access;
  }

  /** All of it is data. */
  *runs(from: number, to: number): Generator<Run> {
    const { access } = this.#opened;
    const broken = "decrypt" in access ? {} : { broken: access };
    if (from < to) yield { start: from, length: to - from, kind: "data", ...broken };
  }

  /** Sectors are numbered from the start of the segment, by 512 bytes, and from its iv_tweak on. */
  readRun(run: Run, skip: number, target: Uint8Array): void {
    const { access, content, payload } = this.#opened;
    if (!("decrypt" in access)) throw new AccessError(access);
    const start = run.start + skip;
    const before = start % access.sectorSize;
    const length = roundUp(before + target.length, access.sectorSize);
    const sectors = length === target.length ? target : new Uint8Array(length);
    payload.readInto(content.offset + start - before, sectors);
    access.decrypt(sectors, content.segment.ivTweak + BigInt((start - before) / SECTOR));
    if (sectors !== target) target.set(sectors.subarray(before, before + target.length));
  }

  info(): LayerInfo {
    return {
      "dirty-flag": false,
      encrypted: true,
      "format-specific": { type: "luks2", data: luks2Info(this.#opened.chosen) },
    };
  }

  /** An open has looked at all there is. */
  judge(): void {}
}
