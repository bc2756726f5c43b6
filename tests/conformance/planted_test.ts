/** Each kind of failure that is planted in an implementation appears once, under its cause. */

import { assertEquals } from "@std/assert";
import { PeerCollector, type PeerFinding } from "../../src/conformance/mod.ts";
import { featuresOf } from "../../src/expect/mod.ts";
import { openImage } from "../../src/image/mod.ts";
import {
  accepted,
  type Answers,
  type DigestScope,
  ForwardingPeer,
  type Outcome,
  type PeerDescription,
  ReferencePeer,
  rejected,
  type Subject,
} from "../../src/peers/mod.ts";
import { recordNames, verifyRecords } from "../../src/recorded/mod.ts";

type Planted = (outcome: Outcome<never>) => Outcome<unknown>;

/** What is wrong, by feature and operation. */
const PLANTS: Readonly<Record<string, Readonly<Record<string, Planted>>>> = {
  "extended-l2": { digest: changed({ sha256: "0".repeat(64) }) },
  "zstd": {
    digest: () => ({ outcome: "crashed", message: "SIGSEGV: " }),
    map: () => ({ outcome: "crashed", message: "SIGSEGV: " }),
  },
  "bitmaps": { check: () => ({ outcome: "timed-out", message: "20000 ms" }) },
  "external-data-file": {
    map: () => ({ outcome: "out-of-memory", message: "2 GiB" }),
    info: () => rejected("an unknown bit"),
  },
  "backing": {
    map: moved,
    probe: () => ({ outcome: "malformed-answer", message: "not JSON", printed: "qcow2" }),
  },
  "snapshots": { check: leaking },
  "qcow2.v2": { info: changed({ "virtual-size": 7 }) },
};

function changed(members: object): Planted {
  return (outcome) =>
    outcome.outcome === "accepted"
      ? accepted({ ...(outcome as { value: object }).value, ...members })
      : outcome;
}

/** Leaks in an image that has none. */
function leaking(outcome: Outcome<never>): Outcome<unknown> {
  const isClean = outcome.outcome === "accepted" &&
    (outcome.value as { exitCode: number }).exitCode === 0;
  return isClean ? accepted({ exitCode: 3, counts: { leaks: 5 } }) : outcome;
}

/** A map in which everything is a layer deeper. */
function moved(outcome: Outcome<never>): Outcome<unknown> {
  if (outcome.outcome !== "accepted") return outcome;
  const entries = outcome.value as unknown as { depth: number }[];
  return accepted(entries.map((entry) => ({ ...entry, depth: entry.depth + 1 })));
}

/** The reference with the plants, and one that accepts a wrong version. */
class PlantedPeer extends ForwardingPeer {
  readonly #reference = new ReferencePeer();

  async describe(): Promise<PeerDescription> {
    return { ...await this.#reference.describe(), name: "planted" };
  }

  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope?: DigestScope,
  ): Promise<Outcome<Answers[O]>> {
    const outcome = await this.#reference[operation](subject, scope);
    if (operation === "info" && isOfVersion(subject, 1)) {
      return accepted({ format: "qcow2", "virtual-size": 0 }) as unknown as Outcome<Answers[O]>;
    }
    for (const feature of featuresIn(subject)) {
      const plant = PLANTS[feature]?.[operation];
      if (plant !== undefined) return plant(outcome as never) as Outcome<Answers[O]>;
    }
    return outcome as unknown as Outcome<Answers[O]>;
  }
}

function isOfVersion({ directory, path }: Subject, version: number): boolean {
  const bytes = Deno.readFileSync(`${directory}/${path}`);
  return bytes[3] === 0xfb && bytes[7] === version;
}

function featuresIn({ path, directory = ".", format }: Subject): string[] {
  const image = openImage(path, { directory, ...(format === undefined ? {} : { format }) });
  try {
    return featuresOf(image);
  } finally {
    image.close();
  }
}

async function findings(): Promise<PeerFinding[]> {
  const collected = new PeerCollector();
  const chosen: [string, RegExp][] = [
    ["golden/images", /^qcow2-(?!.*(luks|aes|encrypt))/],
    ["corpus/images", /^qcow2\.header\.(version|cluster-bits)/],
  ];
  for (const [images, pattern] of chosen) {
    const names = recordNames(images).filter((name) => pattern.test(name));
    await verifyRecords(new PlantedPeer(), {
      ...{ images, names, by: "format" },
      onImage: (record, results) => collected.add(record, results),
    });
  }
  return collected.findings({ when: "2026-01-01T00:00:00Z", commands: () => ({}) });
}

Deno.test("each planted failure is one finding with its cause, the worst first", async () => {
  const found = await findings();
  assertEquals(
    found.map((
      { kind, cause: { type, name }, operations },
    ) => [kind, type, name, operations.join()]),
    [
      ["wrong-content", "feature", "extended-l2", "digest"],
      ["memory", "feature", "external-data-file", "map"],
      ["hang", "feature", "bitmaps", "check"],
      ["crash", "feature", "zstd", "map,digest"],
      ["refuses-valid", "feature", "external-data-file", "info"],
      ["accepts-invalid", "rule", "qcow2.header.version", "info"],
      ["wrong-map", "feature", "backing", "map"],
      ["wrong-check", "feature", "snapshots", "check"],
      ["wrong-info", "feature", "qcow2.v2", "info"],
      ["malformed-answer", "feature", "backing", "probe"],
    ],
  );
  for (const { count, images, cases, smallest } of found) {
    assertEquals(cases.length, count);
    assertEquals(new Set(cases.map(({ image }) => image)).size, images);
    assertEquals(smallest.bytes, Math.min(...cases.map(({ bytes }) => bytes)));
  }
});
