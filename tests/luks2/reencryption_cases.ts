/** For every rule of what is read during a reencryption, pairs of volumes. */

import { cryptSegment, DATA, signed } from "./reencrypting.ts";
import { pair, type RuleCase, value } from "./rule_case.ts";
import type { AnyJson } from "./volumes.ts";
import type { Luks2Rule } from "../../src/luks2/mod.ts";

type Edits = readonly (readonly [string, unknown])[];

/** A pair of volumes in a reencryption with its digest. */
function during(rule: Luks2Rule, about: string, { broken, kept }: Record<string, Edits>): RuleCase {
  return pair(rule, about, {
    broken: { json: (root) => signed(root, broken) },
    kept: { json: (root) => signed(root, kept) },
  });
}

/** The segments of a volume whose second kibibyte is in reencryption. */
const hot = (size: number, others: Record<string, unknown> = {}): Edits => [
  ["/segments/0", cryptSegment(DATA, 1024)],
  ["/segments/1", cryptSegment(DATA + 1024, size, ["in-reencryption"])],
  ["/segments/2", cryptSegment(DATA + 1024 + size, "dynamic")],
  ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-previous"])],
  ["/segments/4", cryptSegment(DATA, "dynamic", ["backup-final"])],
  ["/digests/0/segments", ["0", "1", "2", "3", "4"]],
  ...Object.entries(others),
];

const place = { offset: String(DATA - 8192), size: "4096" };
const journal = { type: "journal", ...place };
const checksum = (hash: string, size: number) => ({
  type: "checksum",
  ...place,
  hash,
  sector_size: size,
});
const shift = (size: number) => ({ type: "datashift", ...place, shift_size: String(size) });
const backward = (size: number) => ({
  "/keyslots/1/area": shift(size),
  "/keyslots/1/direction": "backward",
});

const inSectors = (segment: AnyJson, sector_size: number) => ({ ...segment, sector_size });
const LAYOUT = "luks2.reencryption.layout";
const inJournal = { "/keyslots/1/area": journal };

const RECOVERY = "luks2.reencryption.recovery";

/** What `unlock` and `read` look at. */
export const reencryptionCases: readonly RuleCase[] = [
  pair("luks2.reencryption.finished", "a reencryption is going on", {
    broken: { json: (root) => signed(root) },
    kept: {},
  }),
  pair("luks2.reencryption.digest", "the key slot is of another direction than its digest says", {
    broken: {
      json: (root) => {
        signed(root);
        root.keyslots["1"].direction = "backward";
      },
    },
    kept: { json: (root) => signed(root, [["/keyslots/1/direction", "backward"]]) },
  }),
  pair("luks2.reencryption.digest", "no digest names the key slot", {
    broken: {
      json: (root) => {
        signed(root);
        root.digests["9"].keyslots = [];
      },
    },
    kept: { json: (root) => signed(root) },
  }),
  ...[journal, checksum("sha512", 512), {
    ...shift(512),
    type: "datashift-checksum",
    hash: "sha1",
    sector_size: 512,
  }]
    .map((area) =>
      pair("luks2.reencryption.digest", `it is that of another key slot of type ${area.type}`, {
        broken: {
          json: (root) => {
            signed(root, [["/keyslots/1/area", area]]);
            root.keyslots["1"].area.size = "8192";
          },
        },
        kept: { json: (root) => signed(root, [["/keyslots/1/area", area]]) },
      })
    ),
  during(RECOVERY, "nothing is kept of what was interrupted, and not a journal", {
    broken: hot(1024),
    kept: hot(1024, { "/keyslots/1/area": journal }),
  }),
  during(RECOVERY, "the journal is shorter than the segment", {
    broken: hot(4608, { "/keyslots/1/area": journal }),
    kept: hot(4096, { "/keyslots/1/area": journal }),
  }),
  during(RECOVERY, "the hash of the checksums is not known", {
    broken: hot(1024, { "/keyslots/1/area": checksum("sha257", 512) }),
    kept: hot(1024, { "/keyslots/1/area": checksum("sha256", 512) }),
  }),
  during(RECOVERY, "there is room for one checksum, not two", {
    broken: hot(1024, { "/keyslots/1/area": { ...checksum("sha256", 512), size: "63" } }),
    kept: hot(1024, { "/keyslots/1/area": { ...checksum("sha256", 512), size: "64" } }),
  }),
  during(RECOVERY, "what is moved was before the file", {
    broken: hot(1024, backward(DATA + 1024 + 512)),
    kept: hot(1024, backward(DATA + 1024)),
  }),
  during(LAYOUT, "a backup segment is marked as the one in reencryption", {
    broken: hot(1024, {
      ...inJournal,
      "/segments/1": cryptSegment(DATA + 1024, 1024),
      "/segments/3": cryptSegment(DATA, "dynamic", ["backup-previous", "in-reencryption"]),
    }),
    kept: hot(1024, inJournal),
  }),
  during(LAYOUT, "two segments are in reencryption", {
    broken: hot(1024, {
      ...inJournal,
      "/segments/2": cryptSegment(DATA + 2048, "dynamic", ["in-reencryption"]),
    }),
    kept: hot(1024, inJournal),
  }),
  during(LAYOUT, "two segments are before the one in reencryption", {
    broken: [
      ["/keyslots/1/area", journal],
      ["/segments/0", cryptSegment(DATA, 1024)],
      ["/segments/1", cryptSegment(DATA + 1024, 1024)],
      ["/segments/2", cryptSegment(DATA + 2048, "dynamic", ["in-reencryption"])],
      ["/segments/2/size", "1024"],
      ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-previous"])],
      ["/segments/4", cryptSegment(DATA, "dynamic", ["backup-final"])],
      ["/digests/0/segments", ["0", "1", "2", "3", "4"]],
    ],
    kept: hot(1024, inJournal),
  }),
  during(LAYOUT, "what is not done is already as it is to become", {
    broken: hot(1024, {
      ...inJournal,
      "/segments/3": inSectors(cryptSegment(DATA, "dynamic", ["backup-previous"]), 1024),
    }),
    kept: hot(1024, {
      ...inJournal,
      "/segments/2": inSectors(cryptSegment(DATA + 2048, "dynamic"), 1024),
      "/segments/3": inSectors(cryptSegment(DATA, "dynamic", ["backup-previous"]), 1024),
    }),
  }),
  during(LAYOUT, "what is done lies elsewhere than it is written", {
    broken: hot(1024, { ...backward(1024), "/segments/2/offset": String(DATA + 2048 + 512) }),
    kept: hot(1024, backward(1024)),
  }),
  during(LAYOUT, "the sectors of what is done have other numbers than they are written with", {
    broken: hot(1024, { ...inJournal, "/segments/0/iv_tweak": "2" }),
    kept: hot(1024, { ...inJournal, "/segments/0/iv_tweak": "0" }),
  }),
  during(LAYOUT, "data of a fixed length ends inside a block", {
    broken: hot(1024, {
      "/keyslots/1/area": checksum("sha256", 1024),
      "/segments/2/size": "512",
    }),
    kept: hot(1024, {
      "/keyslots/1/area": checksum("sha256", 1024),
      "/segments/2/size": "1024",
    }),
  }),
  pair("luks2.reencryption.keys", "a segment has another digest than the backup segments", {
    broken: {
      json: (root) => {
        signed(root);
        root.digests["5"] = { ...root.digests["0"], keyslots: [], segments: ["0"] };
        root.digests["0"].segments = ["1", "2"];
      },
    },
    kept: {
      json: (root) => {
        signed(root);
        root.digests["5"] = { ...root.digests["0"], keyslots: [], segments: [] };
      },
    },
  }),
  value("luks2.requirement.offline", "/config/requirements", {
    broken: { mandatory: ["offline-reencrypt"] },
    kept: { mandatory: [] },
  }),
];
