import * as fc from "fast-check";
import {
  buildLuks2,
  type CopyName,
  type CopyState,
  header,
  HEADER_SIZES,
  type KdfModel,
  type Luks2KeyModel,
  type Luks2Model,
  normaliseLuks2,
  withChecksum,
} from "../../../src/luks2/mod.ts";
import { type BuiltFiles, imageText, remembering } from "../../../src/format/mod.ts";
import { fieldOf } from "../../../src/layout/mod.ts";
import { PASSPHRASES, picks } from "../../generate/mod.ts";
import type { Seal } from "../../mutate/mod.ts";
import type { LaidOut } from "../kit.ts";
import { mostlySmall, volumeOf } from "../luks.ts";
import { luks2Models, luks2Uses } from "./models.ts";

/** Which volumes are drawn. */
export interface Luks2VolumeOptions {
  /** Only ciphers that cryptsetup has without the kernel's: those of AES. */
  readonly aes?: boolean;
  /** Of so many volumes one is like no other; the rest are of some dozens that are built once. */
  readonly rarely?: number;
}

const RARELY = 40;
const USUAL = 26;
const UUID = "7c1e6f0a-2b7d-4a53-9d55-61b1a0f3c2de";
const KEPT_MAX = 2 ** 27;

/**
 * Sound volumes. Deriving keys and splitting them takes longer than anything that is done to a volume
 * afterwards, so most of them are of some dozens that are kept, with all that varies in a few of them.
 */
export function luks2Volumes(options: Luks2VolumeOptions = {}): fc.Arbitrary<Luks2Model> {
  const { rarely = RARELY, aes = false } = options;
  const usual = usualVolumes(aes);
  return fc.oneof(
    { withCrossShrink: true },
    { weight: LONG_SHARE * (rarely - 1), arbitrary: picks(usual) },
    { weight: rarely, arbitrary: picks(longHeaders(usual)) },
    {
      weight: LONG_SHARE,
      arbitrary: mostlySmall((sizeMax) => luks2Models({ aes, sizeMax, passphrases: PASSPHRASES })),
    },
  );
}

/** One volume in so many has a header of any size: checksums of long ones take time. */
const LONG_SHARE = 200;

/** The first volumes with all sizes of the header. */
function longHeaders(usual: readonly Luks2Model[]): Luks2Model[] {
  return HEADER_SIZES.map((headerSize, index) =>
    normaliseLuks2({ ...usual[index] as Luks2Model, headerSize })
  );
}

const SECTOR_SIZES = [512, 4096, 512, 1024, 512, 2048];
const TWEAKS = [0, 0, 0, 2 ** 32 - 8, 0, 0, 0, 2 ** 31 - 8];
/** One volume in six is large, with sectors of 512 bytes and of 4096 in turn. */
const LARGE = [4, 7];
const SPARES = [0, 0, 4096, 0, 65536];
const CHECKSUMS = ["sha256", "sha256", "sha512", "sha256", "sha1", "sha256", "ripemd160"];
const HASHES = ["sha256", "sha256", "sha512", "sha1", "sha256", "ripemd160", "sha384"];

function usualVolumes(aes: boolean): Luks2Model[] {
  const uses = luks2Uses(aes);
  return Array.from({ length: USUAL }, (_, index) =>
    normaliseLuks2({
      format: "luks2",
      ...uses[index % uses.length] as typeof uses[number],
      seed: index,
      uuid: index % 9 === 8 ? "" : UUID,
      label: index % 7 === 6 ? "a label" : "",
      subsystem: index % 11 === 10 ? "a subsystem" : "",
      seqid: 1 + index % 4,
      headerSize: index % 10 === 9 ? 0x8000 : 0x4000,
      spare: SPARES[index % SPARES.length] as number,
      ...usualStates(index),
      sectorSize: SECTOR_SIZES[index % SECTOR_SIZES.length] as number,
      ivTweak: TWEAKS[index % TWEAKS.length] as number,
      hash: HASHES[index % HASHES.length] as string,
      checksum: CHECKSUMS[(index + 1) % CHECKSUMS.length] as string,
      digestIterations: 1 + index % 4,
      keys: usualKeys(index),
      tokens: index % 3 === 2 ? 1 : 0,
      detached: index % 4 === 3,
      fixed: index % 5 === 4,
      size: 512 * (1 + index % 13 + (LARGE.includes(index % 12) ? 2100 + 8 * index : 0)),
      pattern: { kind: index % 2 === 0 ? "text" : "noise", seed: index },
    }));
}

const DAMAGED: readonly CopyState[] = ["older", "garbled", "missing"];

function usualStates(index: number): Pick<Luks2Model, CopyName> {
  const state = DAMAGED[Math.floor(index / 8) % DAMAGED.length] as CopyState;
  return {
    primary: index % 8 === 6 ? state : "sound",
    secondary: index % 8 === 7 ? state : "sound",
  };
}

/** One key more often than two, and two more often than three. */
function usualKeys(index: number): Luks2KeyModel[] {
  const count = index % 7 === 6 ? 3 : index % 3 === 2 ? 2 : 1;
  const first = index % 6 === 5 ? 28 : 0;
  // One passphrase opens several slots: which one is opened depends on their order.
  const isSame = index % 5 === 2;
  return Array.from({ length: count }, (_, number) => ({
    slot: first + 2 * number,
    passphrase: PASSPHRASES[(index + (isSame ? 0 : number)) % PASSPHRASES.length] as string,
    kdf: usualKdf(index + number),
    priority: number === 1 ? (index % 2 === 0 ? 2 : 0) : 1,
  }));
}

function usualKdf(index: number): KdfModel {
  if (index % 2 === 0) {
    const hash = HASHES[index % HASHES.length] as string;
    return { type: "pbkdf2", hash, iterations: 1 + index % 20 };
  }
  const type = index % 4 === 1 ? "argon2id" : "argon2i";
  return { type, time: 1 + index % 2, memory: 32, cpus: 1 + index % 3 };
}

/** Builds a volume, or gives the one that was built before. */
const built: (model: Luks2Model) => BuiltFiles = remembering(buildLuks2, {
  sizeOf: ({ image, payload }) => image.size + (payload?.size ?? 0),
  sizeMax: KEPT_MAX,
});

/** The copies of the header, in the order in which edits name them. */
export const COPIES: readonly CopyName[] = ["primary", "secondary"];

/** The files of a volume, with the checksums of both copies of its header. */
export function layOutLuks2(model: Luks2Model): LaidOut {
  const { image, payload } = built(model);
  return volumeOf({ ...image, seals: sealsOf(model) }, payload);
}

/** The checksums of the copies of a header. */
export function sealsOf({ headerSize: length }: Pick<Luks2Model, "headerSize">): Seal[] {
  return COPIES.map((name, index) => ({ name, offset: index * length, length, seal }));
}

function seal(copy: Uint8Array): Uint8Array {
  const start = header.offsets.csum_alg;
  const { width } = fieldOf(header, "csum_alg");
  return withChecksum(copy, imageText(copy.subarray(start, start + width)));
}

/** The slot that a passphrase opens: priority 2 comes before 1, and then the order of the numbers. */
export function luks2Slot(
  { keys }: Luks2Model,
  passphrase: string | undefined,
): number | undefined {
  const fitting = keys.filter((key) => key.passphrase === passphrase);
  return [2, 1].flatMap((wanted) => fitting.filter(({ priority }) => priority === wanted))
    .map(({ slot }) => slot)[0];
}

/** A volume in a line. */
export function describeLuks2(model: Luks2Model): string {
  const { encryption, keyBytes, keys, size, sectorSize, headerSize, detached } = model;
  const slots = keys.map(({ slot, kdf }) => `${slot} (${kdf.type})`).join(" and ");
  const states = COPIES.filter((name) => model[name] !== "sound")
    .map((name) => `${name} copy ${model[name]}`);
  return [
    `LUKS2, ${size} bytes in sectors of ${sectorSize}, ${encryption}, ${8 * keyBytes}-bit key`,
    `copies of ${headerSize} bytes, keys in slots ${slots}`,
    ...states,
    ...(detached ? ["header detached"] : []),
  ].join(", ");
}
