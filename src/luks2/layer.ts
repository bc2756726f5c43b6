import { SECTOR } from "../bytes/mod.ts";
import { AccessError, type Layer, type LayerInfo, type Run } from "../format/mod.ts";
import type { Metadata } from "./metadata.ts";
import type { ChosenCopy } from "./copies.ts";
import type { Luks2Broken } from "./findings.ts";
import { luks2Info } from "./info.ts";
import type { Content } from "./segments/extents.ts";
import type { ContentReader } from "./segments/reader.ts";

/** What a layer is made of. */
export interface OpenedLuks2 {
  readonly chosen: ChosenCopy & { readonly metadata: Metadata };
  readonly content: Content;
  /** What reads and decrypts the content, or why it cannot be read. */
  readonly access: ContentReader | Luks2Broken;
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
    this.clusterSize = "read" in access ? access.sectorSize : SECTOR;
  }

  /** A passphrase has opened it. */
  get unlocked(): boolean {
    return "read" in this.#opened.access;
  }

  /** All of it is data. */
  *runs(from: number, to: number): Generator<Run> {
    const { access } = this.#opened;
    const broken = "read" in access ? {} : { broken: access };
    if (from < to) yield { start: from, length: to - from, kind: "data", ...broken };
  }

  readRun(run: Run, skip: number, target: Uint8Array): void {
    const { access } = this.#opened;
    if (!("read" in access)) throw new AccessError(access);
    access.read(run.start + skip, target);
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
