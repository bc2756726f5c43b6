import { type ByteSource, PatchedSource } from "../src/bytes/mod.ts";
import { decodeLuks, luksDriver } from "../src/luks/mod.ts";
import { Findings, type RuleId } from "../src/rules/mod.ts";
import type { Volume } from "../tests/luks/ours.ts";
import { detachedCases, type RuleCase, ruleCases } from "../tests/luks/rule_cases.ts";
import type { Case } from "./corpus.ts";
import { Numbered } from "./numbered.ts";

/** What no file shows: how it was opened, or how much of it was looked at. */
const NOT_OF_A_FILE: readonly RuleId[] = ["luks.open.key-present", "luks.work.iterations-budget"];

const SECTOR = 512;
const FIRST_MATERIAL = 4096;

/** The pairs of volumes of the rules of LUKS version 1. */
export function luksCases(): Case[] {
  const named = new Numbered();
  return [...ruleCases, ...detachedCases]
    .filter(({ rule }) => !NOT_OF_A_FILE.includes(rule))
    .flatMap((pair) => {
      const name = named.next(pair.rule);
      return [
        caseOf(`${name}-breaks`, pair, true),
        caseOf(`${name}-keeps`, pair, false),
      ];
    });
}

function caseOf(name: string, pair: RuleCase, breaks: boolean): Case {
  const volume = breaks ? pair.broken : pair.kept;
  const { payload, passphrase } = volume;
  const source = withoutNoise(volume);
  return {
    name,
    rule: pair.rule,
    breaks,
    changes: [breaks ? pair.about : `nothing of this: ${pair.about}`],
    files: payload === undefined ? { image: source } : { image: payload, header: source },
    format: "luks",
    ...(passphrase === undefined ? {} : { passphrases: [passphrase] }),
    ...(payload === undefined ? {} : { header: "header" }),
  };
}

/**
 * The volume without the key material that opening it does not come to: key material does not compress,
 * and a repository is no place for noise.
 */
function withoutNoise(volume: Volume): ByteSource {
  const { source, payload, passphrase } = volume;
  const passphrases = passphrase === undefined ? [] : [new TextEncoder().encode(passphrase)];
  const layer = luksDriver.open(source, new Findings(), {
    passphrases,
    ...(payload === undefined ? {} : { payload }),
  });
  const header = decodeLuks(source);
  const end = payload === undefined
    ? Math.min(source.size, header.payload_offset * SECTOR)
    : source.size;
  const used = layer?.unlocked === true ? openedUpTo(volume) : FIRST_MATERIAL;
  const zeros = new Uint8Array(Math.max(0, end - used));
  return zeros.length === 0 ? source : new PatchedSource(source, [{ offset: used, bytes: zeros }]);
}

/** The end of the key material of the first slot, which every passphrase but the second opens. */
function openedUpTo({ source, passphrase }: Volume): number {
  const { slots, key_bytes } = decodeLuks(source);
  const slot = slots[passphrase === "second" ? 2 : 0];
  if (slot === undefined) throw new Error("A header has eight slots");
  return slot.key_material_offset * SECTOR + key_bytes * slot.stripes;
}
