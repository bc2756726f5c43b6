import type { Mutant } from "../mutant.ts";

/** Bugs of what all formats share: chains, map and content. */
export const image: readonly Mutant[] = [
  {
    name: "backing-shorter",
    what: "a range past the end of a shorter backing file belongs to the backing file",
    file: "src/image/extents.ts",
    text: "const below = this.#layers[this.#depth + 1]?.virtualSize ?? 0;",
    by: "const below = this.#layers[this.#depth + 1] === undefined ? 0 : Infinity;",
    names: "backing",
  },
  {
    name: "map-joins-depths",
    what: "map joins ranges of two images of a chain",
    file: "src/image/map.ts",
    text: "pending.compressed === entry.compressed && pending.depth === entry.depth &&",
    by: "pending.compressed === entry.compressed &&",
    names: "backing",
  },
  {
    name: "map-joins-offsets",
    what: "map joins ranges that are not next to each other in the file",
    file: "src/image/map.ts",
    text: "if (pending.offset !== undefined && pending.offset + pending.length !== entry.offset) {",
    by: "if (pending.offset !== undefined && pending.offset === entry.offset) {",
    names: "l2",
  },
  {
    name: "content-in-pieces",
    what: "each piece of 1 MiB of a long range has the content of the first one",
    file: "src/image/content.ts",
    text: "readExtent(extent, skip, bytes);\n      yield",
    by: "readExtent(extent, 0, bytes);\n      yield",
    names: "cluster",
  },
  {
    name: "passphrases-of-a-chain",
    what: "each image of a chain is opened with the passphrases in one order",
    file: "src/image/chain.ts",
    text: "const own = Math.min(depth, passphrases.length - 1);",
    by: "const own = Math.min(0 * depth, passphrases.length - 1);",
    names: "passphrase",
  },
  {
    name: "backing-format-ignored",
    what: "the format of a backing file is probed, even if the image names it",
    file: "src/image/chain_links.ts",
    text: "const format = driver === undefined\n    ? probe(",
    by: 'const format = driver === undefined || driver === "raw"\n    ? probe(',
    names: "backing",
  },
  {
    name: "raw-size-rounded-down",
    what: "a last sector that the end of a raw file cuts is not part of the disk",
    file: "src/raw/layer.ts",
    text: "this.virtualSize = Math.ceil(source.size / SECTOR) * SECTOR;",
    by: "this.virtualSize = Math.floor(source.size / SECTOR) * SECTOR;",
    names: "raw",
  },
  {
    name: "read-across-sectors",
    what: "a read that starts inside a sector decrypts one sector too few",
    file: "src/format/sectors.ts",
    text: "const length = roundUp(before + target.length, sectorSize);\n" +
      "  const sectors = length === target.length",
    by: "const length = roundUp(target.length, sectorSize);\n" +
      "  const sectors = length === target.length",
    names: "luks",
  },
  {
    name: "loop-by-name",
    what: "an image that its chain has met in another format is a loop",
    file: "src/image/chain_links.ts",
    text: "return this.#files.get(identity ?? identityOf(source))?.has(format) ?? false;",
    by: "return this.#files.get(identity ?? identityOf(source))?.has(format) !== undefined;",
    names: "backing",
    mended: "Long backing chains open; a loop is a file that comes again",
  },
  {
    name: "json-driver-first",
    what: "the driver in a json: name comes before the recorded backing format",
    file: "src/image/backing_target.ts",
    text: 'if (format !== undefined) options.set("driver", format);',
    by: 'if (format !== undefined && !options.has("driver")) options.set("driver", format);',
    names: "backing",
  },
];
