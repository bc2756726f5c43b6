import { type ByteSource, type Patch, PatchedSource } from "../../src/bytes/mod.ts";
import { keyMaterial, pbkdf2, sectorCipher } from "../../src/crypto/mod.ts";
import {
  decodeLuks1,
  type KeySlot,
  luks1Driver,
  type Luks1Header,
  specOf,
  unlock,
} from "../../src/luks1/mod.ts";
import { Findings, type RuleId } from "../../src/rules/mod.ts";
import type { Volume } from "../../tests/luks1/ours.ts";
import { detachedCases, type RuleCase, ruleCases } from "../../tests/luks1/rule_cases.ts";
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
 * The volume without noise, for the sake of the repository's size: the key slot that opens has sparse key
 * material, and the others zeros. Where none opens nobody comes to read what is behind the header.
 */
function withoutNoise({ source, payload, passphrase }: Volume): ByteSource {
  const given = passphrase === undefined ? undefined : new TextEncoder().encode(passphrase);
  const layer = luks1Driver.open(source, new Findings(), {
    passphrases: given === undefined ? [] : [given],
    ...(payload === undefined ? {} : { payload }),
  });
  const header = decodeLuks1(source);
  const attached = payload === undefined && layer?.unlocked === true;
  const end = attached ? header.payload_offset * SECTOR : source.size;
  const zeros = new Uint8Array(Math.max(0, end - FIRST_MATERIAL));
  const patches: Patch[] = [{ offset: FIRST_MATERIAL, bytes: zeros }];
  if (given !== undefined && layer?.unlocked === true) {
    patches.push(openedMaterial(header, source, given));
  }
  return new PatchedSource(source, patches);
}

/** Sparse key material for the slot that a passphrase opens, in which header and keys stay as they are. */
function openedMaterial(
  header: Luks1Header,
  source: ByteSource,
  passphrase: Uint8Array,
): Patch {
  const unlocked = unlock(header, { keyMaterial: source, passphrase });
  if (!("masterKey" in unlocked)) throw new Error("The passphrase has opened the volume before");
  const slot = header.slots[unlocked.slot] as KeySlot;
  const spec = specOf(header);
  const key = pbkdf2(spec.hash, passphrase, slot.salt, slot.iterations, header.key_bytes);
  const cipher = sectorCipher({ ...spec, ivGenerator: spec.ivGenerator ?? "" }, key);
  const bytes = keyMaterial(unlocked.masterKey, {
    stripes: slot.stripes,
    hash: spec.hash,
    cipher,
    random: () => new Uint8Array(0),
    kind: "sparse",
  });
  return { offset: slot.key_material_offset * SECTOR, bytes };
}
