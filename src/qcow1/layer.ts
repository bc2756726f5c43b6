import {
  type BackingReference,
  type Layer,
  type LayerInfo,
  nameOf,
  type Run,
} from "../format/mod.ts";
import type { SectorCipher } from "../crypto/mod.ts";
import { type Qcow1File, storedName } from "./decode.ts";
import type { Geometry } from "./geometry.ts";
import { Qcow1Image } from "./image.ts";
import { judgeTables } from "./judge/tables.ts";
import { ClusterReader } from "./cluster_reader.ts";
import { clusterRuns } from "./runs.ts";
import type { Findings } from "./findings.ts";

/** A qcow version 1 image as a layer. It has no `check` because the format has no refcounts. */
export class Qcow1Layer implements Layer {
  readonly format = "qcow";
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly backing?: BackingReference;
  readonly encrypted: boolean;
  readonly unlocked: boolean;
  readonly dirty = false;
  readonly #image: Qcow1Image;
  readonly #reader: ClusterReader;

  /** @param cipher for encrypted clusters, if there is a passphrase */
  constructor(file: Qcow1File, geometry: Geometry, cipher?: SectorCipher) {
    this.#image = new Qcow1Image(file, geometry);
    this.#reader = new ClusterReader(this.#image, cipher);
    this.unlocked = this.#image.encrypted && cipher !== undefined;
    this.virtualSize = this.#image.virtualSize;
    this.clusterSize = geometry.clusterSize;
    this.encrypted = this.#image.encrypted;
    const name = nameOf(storedName(file) ?? new Uint8Array());
    if (name !== "") this.backing = { name };
  }

  runs(from: number, to: number): Iterable<Run> {
    return clusterRuns(this.#image, { from, to });
  }

  readRun(run: Run, skip: number, target: Uint8Array): void {
    this.#reader.read(run.start + skip, target);
  }

  info(): LayerInfo {
    return {
      "cluster-size": this.clusterSize,
      "dirty-flag": false,
      ...(this.encrypted ? { encrypted: true } : {}),
    };
  }

  judge(findings: Findings): void {
    judgeTables(this.#image, findings);
  }
}
