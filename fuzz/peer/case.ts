import * as fc from "fast-check";
import { formatOf } from "../../src/formats.ts";
import type { Json } from "../../src/format/mod.ts";
import type { Mutating } from "../engine/mod.ts";
import {
  type ChainModel,
  chainModels,
  drawsOf,
  editsOf,
  type Kit,
  modestDisk,
  repaired,
  wholes,
  withOwnKeys,
} from "../formats/mod.ts";
import { type KeyChoice, keyChoices } from "../generate/mod.ts";
import { type Edit, type EditDraw, editDraws, ROLES } from "../mutate/mod.ts";
import { evolvedImage, fromPlainJson } from "../targets/mod.ts";
import { hasFormat, opensInChain, type PeerUnderTest } from "./under_test.ts";

/** An image, and what an implementation is asked about it. */
export interface PeerCase {
  /** The kind of image: `chain`, or the name of a kit. */
  readonly kit: string;
  readonly model: unknown;
  /** The edits, in order. */
  readonly edits: readonly Edit[];
  /** What the image is opened with. */
  readonly key: KeyChoice;
  /** Which snapshot and which range is read, as a number without a meaning of its own. */
  readonly part: number;
}

/** The name of the kit of chains, which has none of its own. */
const CHAIN = "chain";

/** The kits by the name that a case has. */
const KITS: ReadonlyMap<string, Kit> = new Map(
  wholes.map((kit) => [kit.name === "" ? CHAIN : kit.name ?? kit.format.name, kit]),
);

/** Whether the image is a chain of images, or one alone. */
export function isChain({ kit }: Pick<PeerCase, "kit">): boolean {
  return kit === CHAIN;
}

/** The kit of a case. */
export function kitOf({ kit }: Pick<PeerCase, "kit">): Kit {
  const found = KITS.get(kit);
  if (found === undefined) throw new TypeError(`Cannot use the case: unknown kind ${kit}`);
  return found;
}

/** Which images a target asks about. */
export interface CaseOptions {
  /** How many of so many images are edited. */
  readonly edited: readonly [edited: number, of: number];
  /** Only volumes with key slots. */
  readonly volumes?: true;
}

/** The roles of headers and of tables in a draw. */
const HEADER = ROLES.indexOf("header");
const TABLE = ROLES.indexOf("table");
/** Clusters of most disks. */
const CLUSTERS_MAX = 20;
/** One disk in so many may be of any size. */
const LARGE_SHARE = 16;
const PART_MAX = 2 ** 16;
/** Large clusters and long tables cost time and find nothing that small ones do not. */
const SMALL = { clusterBitsMax: 16, limits: { l1Bytes: 4096 } } as const;
/** Opening a volume takes ten times as long as anything else. */
const CHAIN_WEIGHT = 24;

/** The images of a target, of the formats that an implementation lists; none if it lists none. */
export function peerCases(
  peer: PeerUnderTest,
  options: CaseOptions,
): fc.Arbitrary<PeerCase> | undefined {
  const kinds = kindsFor(peer, options);
  if (kinds.length === 0) return undefined;
  const cases = kinds.map((kind) => ({
    weight: kind === CHAIN ? CHAIN_WEIGHT : 1,
    arbitrary: casesOf(kind, peer, options),
  }));
  return fc.oneof(...cases);
}

function kindsFor(peer: PeerUnderTest, { volumes }: CaseOptions): string[] {
  const isChain = hasFormat(peer, "qcow2") || hasFormat(peer, "qcow");
  return [...KITS].filter(([kind, { format }]) =>
    kind === CHAIN ? volumes !== true && isChain : hasFormat(peer, format.name)
  ).map(([kind]) => kind);
}

function casesOf(
  kind: string,
  peer: PeerUnderTest,
  { edited: [edited, of] }: CaseOptions,
): fc.Arbitrary<PeerCase> {
  const kit = kitOf({ kit: kind });
  const models = kind === CHAIN ? chainsFor(peer) : kit.models("roundtrip");
  const untouched = { weight: of - edited, arbitrary: fc.constant([]) };
  const changed = { weight: edited, arbitrary: changes(kit, kind) };
  const edits = fc.oneof({ withCrossShrink: true }, untouched, changed);
  return fc.tuple(models, edits, keysFor(kit, peer), fc.nat(PART_MAX))
    .map(([model, draws, key, part]) => ({
      kit: kind,
      model,
      edits: draws.length === 0 ? [] : editsOf(kit, model, draws),
      key,
      part,
    }));
}

/** Whether a target edits most of its images, so that edited ones are worth keeping. */
export function editsMost({ edited: [edited, of] }: CaseOptions): boolean {
  return 2 * edited > of;
}

/** A case like one that was kept. */
export function mutatedPeerCase(
  value: PeerCase,
  { random, others, fresh }: Mutating<PeerCase>,
): PeerCase {
  const isAlike = ({ kit }: PeerCase) => kit === value.kit;
  const alike = others.filter(isAlike);
  const one = fresh();
  const parts = { random, others: alike, fresh: () => isAlike(one) ? one : value };
  return {
    ...evolvedImage(kitOf(value), "differential", value, parts),
    part: random.nextInt(0, PART_MAX),
  };
}

/** Whether an implementation lists the formats of a case, which may be stored for another one. */
export function isAskedAbout(value: PeerCase, peer: PeerUnderTest): boolean {
  if (!isChain(value)) return hasFormat(peer, kitOf(value).format.name);
  return (value.model as ChainModel).every(({ format }) => opensInChain(peer, format));
}

/**
 * Changes of anything and, as often, of fields of headers, which an implementation checks or not, and
 * of one entry of a table, beside which the rest can be read.
 */
function changes(kit: Kit, kind: string): fc.Arbitrary<readonly EditDraw[]> {
  const any = drawsOf(kit, "differential");
  if (kind === "luks2") return any;
  const valuesIn = (role: number, maxLength: number): fc.Arbitrary<EditDraw[]> => {
    const draws = editDraws().map((draw): EditDraw => ({ ...draw, sort: "value", role }));
    return fc.array(draws, { minLength: 1, maxLength });
  };
  return fc.oneof(any, valuesIn(HEADER, 2), valuesIn(TABLE, 1));
}

/** Without passphrases, encrypted content cannot be read. */
function keysFor(kit: Kit, { description: { takes = [] } }: PeerUnderTest) {
  if (kit.keys === undefined || !takes.includes("passphrases")) return keyChoices({ none: 1 });
  return keyChoices({ right: 14, wrong: 1, none: 1 });
}

function chainsFor(peer: PeerUnderTest): fc.Arbitrary<ChainModel> {
  const { takes = [] } = peer.description;
  const formats = (["qcow2", "qcow"] as const).filter((format) => hasFormat(peer, format));
  const encryption = takes.includes("passphrases") ? "some" : "none";
  const small = fc.integer({ min: 0, max: LARGE_SHARE - 1 }).map((draw) => draw !== 1);
  // Extended L2 entries need larger clusters.
  const models = fc.oneof(
    { withCrossShrink: true },
    { weight: 7, arbitrary: chainModels({ ...SMALL, clusterBitsMax: 12, encryption, formats }) },
    { weight: 1, arbitrary: chainModels({ ...SMALL, encryption, formats }) },
  );
  // A backing file of a format that is not listed is raw to the implementation.
  const listed = models.filter((chain) => chain.every(({ format }) => opensInChain(peer, format)));
  return fc.tuple(listed, small, fc.nat({ max: CLUSTERS_MAX })).map(([chain, isSmall, clusters]) =>
    withOwnKeys(isSmall ? modestDisk(chain, clusters) : chain)
  );
}

/**
 * A case as it was stored.
 *
 * @throws {TypeError} when it is not one
 */
export function storedPeerCase(json: Json): PeerCase {
  const { edits = [], key = "right", part = 0, ...value } = fromPlainJson(json) as
    & Pick<PeerCase, "kit" | "model">
    & Partial<PeerCase>;
  const kit = kitOf(value);
  return { ...value, edits: edits.map((edit) => kit.edits?.stored?.(edit) ?? edit), key, part };
}

/** A case after a part of it was dropped. */
export function repairedPeerCase(value: PeerCase): PeerCase {
  return repaired(kitOf(value), value);
}

/** Name of the format of the top image. */
export function topFormat({ kit, model }: PeerCase): string {
  if (kit !== CHAIN) return kitOf({ kit }).format.name;
  return formatOf((model as ChainModel)[0]?.format ?? "raw").name;
}
