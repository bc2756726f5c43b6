/** Cases of LUKS version 2 during a reencryption. */

import type { Json } from "../../../src/format/mod.ts";
import type { RuleId } from "../../../src/rules/mod.ts";
import { type Case, casesOf } from "../case.ts";
import { type CaseEdit, json, jsonCopy } from "../edit.ts";
import { base, DATA } from "./models.ts";
import {
  checksum,
  cryptSegment,
  interruptedAt as hot,
  journal,
  type JsonValue,
  shift,
  signed,
} from "./reencrypting.ts";

const { pair, field } = casesOf(base);

const AREA = "/keyslots/1/area";
const DIRECTION = "/keyslots/1/direction";
const DIGEST = "luks2.reencryption.digest";
const LAYOUT = "luks2.reencryption.layout";
const RECOVERY = "luks2.reencryption.recovery";

/** Two volumes in a reencryption, each with its digest. */
function during(
  rule: RuleId,
  shows: string,
  { bad, good }: { bad: readonly JsonValue[]; good: readonly JsonValue[] },
): Case {
  return pair(rule, { shows, breaks: signed(bad), keeps: signed(good) });
}

const inJournal = { [AREA]: journal };

/** A shift of the data by so many bytes. */
function backward(size: number): Record<string, Json> {
  return { [AREA]: shift(size), [DIRECTION]: "backward" };
}

/** The final segment, with larger sectors. */
const largerSectors = {
  ...cryptSegment(DATA, "dynamic", ["backup-previous"]),
  sector_size: 1024,
};

/** A key slot of another type whose size does not match the digest. */
function otherArea(area: { [name: string]: Json }): Case {
  const edits = signed([[AREA, area]]);
  return pair(DIGEST, {
    shows: `the digest is that of another key slot of type ${area["type"]}`,
    breaks: [...edits, json(`${AREA}/size`, "8192")],
    keeps: edits,
  });
}

const digestCases: readonly Case[] = [
  pair("luks2.reencryption.finished", { shows: "a reencryption is going on", breaks: signed() }),
  pair(DIGEST, {
    shows: "the key slot has another direction than its digest says",
    breaks: [...signed(), json(DIRECTION, "backward")],
    keeps: signed([[DIRECTION, "backward"]]),
  }),
  pair(DIGEST, {
    shows: "no digest refers to the key slot",
    breaks: [...signed(), json("/digests/9/keyslots", [])],
    keeps: signed(),
  }),
  otherArea(journal),
  otherArea(checksum("sha512", 512)),
  otherArea({ ...shift(512), type: "datashift-checksum", hash: "sha1", sector_size: 512 }),
];

const recoveryCases: readonly Case[] = [
  during(RECOVERY, "nothing is kept of the interrupted segment, not even a journal", {
    bad: hot(1024),
    good: hot(1024, inJournal),
  }),
  during(RECOVERY, "the journal is shorter than the segment", {
    bad: hot(4608, inJournal),
    good: hot(4096, inJournal),
  }),
  during(RECOVERY, "the hash of the checksums is unknown", {
    bad: hot(1024, { [AREA]: checksum("sha257", 512) }),
    good: hot(1024, { [AREA]: checksum("sha256", 512) }),
  }),
  during(RECOVERY, "there is room for one checksum, not for two", {
    bad: hot(1024, { [AREA]: { ...checksum("sha256", 512), size: "63" } }),
    good: hot(1024, { [AREA]: { ...checksum("sha256", 512), size: "64" } }),
  }),
  during(RECOVERY, "the moved data was before the start of the file", {
    bad: hot(1024, backward(DATA + 1024 + 512)),
    good: hot(1024, backward(DATA + 1024)),
  }),
];

const layoutCases: readonly Case[] = [
  during(LAYOUT, "a backup segment has the flag in-reencryption", {
    bad: hot(1024, {
      ...inJournal,
      "/segments/1": cryptSegment(DATA + 1024, 1024),
      "/segments/3": cryptSegment(DATA, "dynamic", ["backup-previous", "in-reencryption"]),
    }),
    good: hot(1024, inJournal),
  }),
  during(LAYOUT, "two segments are in reencryption", {
    bad: hot(1024, {
      ...inJournal,
      "/segments/2": cryptSegment(DATA + 2048, "dynamic", ["in-reencryption"]),
    }),
    good: hot(1024, inJournal),
  }),
  during(LAYOUT, "two segments are before the one in reencryption", {
    bad: [
      [AREA, journal],
      ["/segments/0", cryptSegment(DATA, 1024)],
      ["/segments/1", cryptSegment(DATA + 1024, 1024)],
      ["/segments/2", cryptSegment(DATA + 2048, "dynamic", ["in-reencryption"])],
      ["/segments/2/size", "1024"],
      ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-previous"])],
      ["/segments/4", cryptSegment(DATA, "dynamic", ["backup-final"])],
      ["/digests/0/segments", ["0", "1", "2", "3", "4"]],
    ],
    good: hot(1024, inJournal),
  }),
  during(LAYOUT, "the segment that is not done is already as it is to become", {
    bad: hot(1024, { ...inJournal, "/segments/3": largerSectors }),
    good: hot(1024, {
      ...inJournal,
      "/segments/2": { ...cryptSegment(DATA + 2048, "dynamic"), sector_size: 1024 },
      "/segments/3": largerSectors,
    }),
  }),
  during(LAYOUT, "the finished segment is not where it is written to", {
    bad: hot(1024, { ...backward(1024), "/segments/2/offset": String(DATA + 2048 + 512) }),
    good: hot(1024, backward(1024)),
  }),
  during(LAYOUT, "the sectors of the finished segment are not numbered as they are written", {
    bad: hot(1024, { ...inJournal, "/segments/0/iv_tweak": "2" }),
    good: hot(1024, { ...inJournal, "/segments/0/iv_tweak": "0" }),
  }),
  during(LAYOUT, "data of a fixed length ends inside a block", {
    bad: hot(1024, { [AREA]: checksum("sha256", 1024), "/segments/2/size": "512" }),
    good: hot(1024, { [AREA]: checksum("sha256", 1024), "/segments/2/size": "1024" }),
  }),
];

/** Another digest for these segments. */
function fifthDigest(segments: readonly string[]): CaseEdit[] {
  return [
    ...signed(),
    jsonCopy("/digests/5", "/digests/0"),
    json("/digests/5/keyslots", []),
    json("/digests/5/segments", segments),
  ];
}

/** Cases that matter for `unlock` and `read`. */
export const reencryptionCases: readonly Case[] = [
  ...digestCases,
  ...recoveryCases,
  ...layoutCases,
  pair("luks2.reencryption.keys", {
    shows: "a segment has another digest than the backup segments",
    breaks: [...fifthDigest(["0"]), json("/digests/0/segments", ["1", "2"])],
    keeps: fifthDigest([]),
  }),
  field("luks2.requirement.offline", "/json/config/requirements", {
    bad: { mandatory: ["offline-reencrypt"] },
    good: { mandatory: [] },
  }),
];
