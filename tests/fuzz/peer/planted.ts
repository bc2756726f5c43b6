/** Implementations with a planted bug each: the reference, except for one thing. */

import { createHash } from "node:crypto";
import type { Layer } from "../../../src/format/mod.ts";
import { layersOf, type OpenedImage, openImage, pieces } from "../../../src/image/mod.ts";
import {
  accepted,
  type Answers,
  type DigestReport,
  type DigestScope,
  type FailedOutcome,
  ForwardingPeer,
  type Outcome,
  type Peer,
  type PeerDescription,
  ReferencePeer,
  type Subject,
} from "../../../src/peers/mod.ts";
import type { RuleId } from "../../../src/rules/mod.ts";
import { LazyPeer, StrictPeer } from "../../conformance/honest_peers.ts";

/** A bug: what it changes in answers of the reference, or in their content. */
type Bug = { readonly answer: ChangedAnswer } | { readonly bytes: ChangedBytes };
type ChangedBytes = (bytes: Uint8Array, about: Place) => void;
type ChangedAnswer = (question: {
  readonly operation: keyof Answers;
  readonly scope: DigestScope;
  readonly image: OpenedImage;
  readonly outcome: Outcome<unknown>;
}) => Outcome<unknown>;

class PlantedPeer extends ForwardingPeer {
  readonly #reference = new ReferencePeer();
  readonly #bugs: readonly Bug[];

  constructor(bugs: readonly Bug[]) {
    super();
    this.#bugs = bugs;
  }

  async describe(): Promise<PeerDescription> {
    const description = await this.#reference.describe();
    return { ...description, name: "planted", version: "1", formats: ["raw", "qcow", "qcow2"] };
  }

  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope: DigestScope = {},
  ): Promise<Outcome<Answers[O]>> {
    let outcome: Outcome<unknown> = await this.#reference[operation](subject, scope);
    const { path, directory, format } = subject;
    const image = openImage(path, {
      ...(directory === undefined ? {} : { directory }),
      ...(format === undefined ? {} : { format }),
    });
    try {
      const changes = this.#bugs.flatMap((bug) => "bytes" in bug ? [bug.bytes] : []);
      if (changes.length > 0) {
        outcome = changedContent(changes, { operation, scope, image, outcome });
      }
      for (const bug of this.#bugs) {
        if ("answer" in bug) outcome = bug.answer({ operation, scope, image, outcome });
      }
    } finally {
      image.close();
    }
    return outcome as Outcome<Answers[O]>;
  }
}

/** Where bytes of the content come from. */
interface Place {
  /** What the top layer says of them. */
  readonly kind: string;
  readonly start: number;
  readonly layer: Layer;
  /** The backing file. */
  readonly below?: Layer | undefined;
}

/** The answer to a question about content, after changes of its bytes. */
function changedContent(
  changes: readonly ChangedBytes[],
  { operation, scope, image, outcome }: Parameters<ChangedAnswer>[0],
): Outcome<unknown> {
  if (operation !== "digest" || outcome.outcome !== "accepted") return outcome;
  const layers = layersOf(image, scope.snapshot) ?? [];
  const { start, length } = scope.range ??
    { start: 0, length: (outcome.value as DigestReport).length };
  const hash = createHash("sha256");
  const [layer, below] = layers;
  if (layer === undefined) return outcome;
  const kinds = [...layer.runs(start, start + length)];
  for (const piece of pieces(layers, { from: start, to: start + length })) {
    for (let at = piece.start; at < piece.start + piece.length; at += 512) {
      const end = Math.min(at + 512, piece.start + piece.length);
      const bytes = new Uint8Array(end - at);
      const from = at - piece.start;
      if (piece.bytes !== undefined) bytes.set(piece.bytes.subarray(from, from + bytes.length));
      const run = kinds.find((it) => at < it.start + it.length);
      const place = { kind: run?.kind ?? "", start: at, layer, below };
      for (const change of changes) change(bytes, place);
      hash.update(bytes);
    }
  }
  return accepted({ ...outcome.value as DigestReport, sha256: hash.digest("hex") });
}

function contentBug(bytes: ChangedBytes): Bug {
  return { bytes };
}

function answerBug(answer: ChangedAnswer): Bug {
  return { answer };
}

function hasRule({ findings }: OpenedImage, rule: RuleId): boolean {
  return findings.rules().includes(rule);
}

function hasSubclusters(layer: Layer): boolean {
  return layer.info()["format-specific"]?.data["extended-l2"] === true;
}

function failing(rule: RuleId, outcome: FailedOutcome): Bug {
  return { answer: ({ image, outcome: right }) => hasRule(image, rule) ? outcome : right };
}

const ANSWERS: Answers = {
  probe: { format: "qcow2" },
  info: { format: "qcow2", "virtual-size": 512 } as Answers["info"],
  map: [],
  check: { exitCode: 0 },
  digest: { sha256: "0".repeat(64), length: 512 },
  unlock: {},
};

/** Planted bugs by name. */
const bugs = {
  compressed: contentBug((bytes, { kind }) => {
    if (kind === "compressed") bytes[0] = (bytes[0] ?? 0) ^ 1;
  }),
  zero: contentBug((bytes, { kind, layer }) => {
    if (kind === "zero" && !hasSubclusters(layer)) bytes.fill(0xaa);
  }),
  subcluster: contentBug((bytes, { kind, start, layer }) => {
    const isThird = Math.floor(start / (layer.clusterSize / 32)) % 32 === 2;
    if (kind === "data" && isThird && hasSubclusters(layer)) bytes.fill(0);
  }),
  "last-cluster": contentBug((bytes, { start, layer: { virtualSize, clusterSize } }) => {
    const isLast = start + bytes.length === virtualSize && virtualSize % clusterSize !== 0;
    if (isLast) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  }),
  backing: contentBug((bytes, { kind, start, below }) => {
    if (kind === "unallocated" && below !== undefined && start >= below.virtualSize) {
      bytes.fill(0xff);
    }
  }),
  hang: failing("qcow2.header.cluster-bits-min", {
    outcome: "timed-out",
    message: "no answer in 1 s",
  }),
  crash: failing("qcow2.l1.offset", { outcome: "crashed", message: "SIGSEGV" }),
  "unknown-bit": answerBug(({ operation, image, outcome }) =>
    hasRule(image, "qcow2.header.incompat-unknown") ? accepted(ANSWERS[operation]) : outcome
  ),
  map: answerBug(({ operation, outcome }) =>
    operation === "map" && outcome.outcome === "accepted"
      ? accepted((outcome.value as Answers["map"]).map((entry) => {
        return entry.compressed === true ? { ...entry, zero: true, data: false } : entry;
      }))
      : outcome
  ),
} as const satisfies Record<string, Bug>;

/** The name of a planted bug. */
export type Planted = keyof typeof bugs;

/** Implementations by name: `lazy`, `strict`, or the names of bugs with `+` between them. */
export function plantedPeer(name: string): Peer {
  if (name === "lazy") return new LazyPeer();
  if (name === "strict") return new StrictPeer();
  return new PlantedPeer(name.split("+").map((bug) => bugs[bug as Planted]));
}
