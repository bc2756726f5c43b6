/**
 * The kit of backing chains of qcow, qcow2 and raw images, which are read as a whole.
 *
 * @module
 */

import * as fc from "fast-check";
import { extname } from "node:path";
import { formatOf } from "../../../src/formats.ts";
import { openFiles, probe } from "../../../src/image/mod.ts";
import { qcow2Format } from "../../../src/qcow2/mod.ts";
import type { ExpectedDisk } from "../../generate/mod.ts";
import { type Kit, NO_CHECKER, type ToolKit } from "../kit.ts";
import { describeQcow, qcowKeys, qcowKit } from "../qcow.ts";
import { qcow1EntryAt } from "../qcow1/entry_at.ts";
import { qcow2EntryAt } from "../qcow2/entry_at.ts";
import { expectedDisk } from "./disk.ts";
import { chainPassphrases, withOwnKeys } from "./keys.ts";
import {
  buildChain,
  type ChainModel,
  chainModels,
  type ImageModel,
  relinked,
  sourcesOf,
} from "./models.ts";
import { modestDisk } from "./modest.ts";
import { chainTools } from "./tools.ts";

/** Large clusters and long tables cost time and find nothing that small ones do not. */
const SMALL = { clusterBitsMax: 16, limits: { l1Bytes: 4096 }, encryption: "some" } as const;
const CLUSTERS_MAX = 64;
const LEAKS_FOUND = 3;

/** The kit of chains. */
export const chains: Kit<ChainModel> & { readonly tools: ToolKit } = {
  ...qcowKit,
  format: qcow2Format,
  name: "",
  weight: 2,
  models: (use) => use === "differential" ? comparedChains() : chainModels({ encryption: "some" }),
  build: (chain) => {
    const built = buildChain(chain);
    const [top, ...others] = sourcesOf(built);
    const [image] = chain;
    return {
      image: built[0]?.built ?? { segments: [], size: 0, placed: [] },
      name: top?.[0] ?? "image-0.raw",
      others: others.map(([name, source]) => ({ name, source })),
      ...(image === undefined || image.format === "raw" ? {} : { unit: 2 ** image.clusterBits }),
    };
  },
  repair: (chain) => withOwnKeys(relinked(chain)),
  describe: (chain) => chain.map(describeImage).join("\n"),
  open: (files, options) => {
    // Images are called by their format: what an edit has left of one may look like another.
    const format = extname(files[0]?.name ?? "").slice(1);
    return openFiles(new Map(files.map(({ name, source }) => [name, source])), format, options);
  },
  keys: { ...qcowKeys, passphrases: chainPassphrases },
  formatOf: ([top]) => formatOf(top?.format ?? "raw"),
  entryAt: (source, offset) =>
    (probe(source).name === "qcow" ? qcow1EntryAt : qcow2EntryAt)(source, offset),
  tools: chainTools,
  expected: {
    disk: (chain) => expectedDisk(chain),
    views: snapshotsOf,
    check: ([top]) => {
      if (top?.format !== "qcow2") return NO_CHECKER;
      const { leaks } = top.placement;
      return { exitCode: leaks > 0 ? LEAKS_FOUND : 0, leaks };
    },
    opensInQemu: true,
  },
};

function comparedChains(): fc.Arbitrary<ChainModel> {
  const clusters = fc.nat({ max: CLUSTERS_MAX });
  return fc.tuple(chainModels(SMALL), fc.boolean(), clusters)
    .map(([chain, modest, clusters]) => withOwnKeys(modest ? chain : modestDisk(chain, clusters)));
}

function describeImage(image: ImageModel): string {
  if (image.format !== "raw") return describeQcow(image);
  return `raw, ${image.size} bytes of ${image.pattern.kind}`;
}

function* snapshotsOf(chain: ChainModel): Iterable<[id: string, disk: ExpectedDisk]> {
  const [top] = chain;
  if (top?.format !== "qcow2") return;
  for (const [index, { id }] of top.snapshots.entries()) yield [id, expectedDisk(chain, index)];
}
