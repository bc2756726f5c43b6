import { type ByteSource, PatchedSource } from "../../src/bytes/mod.ts";
import { chooseCopy, decodeLuks2, luks2Info } from "../../src/luks2/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import { headerCases } from "../../tests/luks2/header_cases.ts";
import { jsonCases } from "../../tests/luks2/json_cases.ts";
import { kernelCases, slotAndKeyCases } from "../../tests/luks2/key_cases.ts";
import { brokenRules, type Volume } from "../../tests/luks2/ours.ts";
import { reencryptionCases } from "../../tests/luks2/reencryption_cases.ts";
import type { RuleCase } from "../../tests/luks2/rule_case.ts";
import type { Case } from "./corpus.ts";
import { Numbered } from "./numbered.ts";

/** What no file shows: how it was opened, or how much of it was looked at. */
const NOT_OF_A_FILE: readonly RuleId[] = [
  "luks2.open.key-present",
  "luks2.work.budget",
  "luks2.work.key-size",
  "luks2.work.memory",
  "luks2.work.values",
];

const CASES: readonly RuleCase[] = [
  ...headerCases,
  ...jsonCases,
  ...slotAndKeyCases,
  ...kernelCases,
  ...reencryptionCases,
];

/** The pairs of volumes of the rules of LUKS version 2. */
export function luks2Cases(): Case[] {
  const named = new Numbered();
  return CASES
    .filter(({ rule }) => !NOT_OF_A_FILE.includes(rule))
    .flatMap((pair) => {
      const name = named.next(pair.rule);
      return [
        caseOf(`${name}-breaks`, pair, true),
        caseOf(`${name}-keeps`, pair, false),
      ];
    });
}

function caseOf(name: string, { rule, about, broken, kept }: RuleCase, breaks: boolean): Case {
  return {
    ...fileOf(breaks ? broken : kept),
    name,
    rule,
    breaks,
    changes: [breaks ? about : `nothing of this: ${about}`],
  };
}

function fileOf(volume: Volume): Pick<Case, "files" | "format" | "passphrases" | "header"> {
  const { payload, passphrase } = volume;
  const image = withoutNoise(volume);
  return {
    files: payload === undefined ? { image } : { image: payload, header: image },
    format: "luks2",
    ...(passphrase === undefined ? {} : { passphrases: [passphrase] }),
    ...(payload === undefined ? {} : { header: "header" }),
  };
}

/** Bytes of the payload that stay as they are: encrypted content does not compress. */
const KEPT = 1024;
/** Where the payload starts of a volume whose header cannot be read. */
const DATA = 2 * 0x4000 + 2 * 258048 + 8192;

/**
 * The volume with zeros behind the first sectors of its payload, which decrypt to something else; the
 * volume as it is where that would break or mend a rule.
 */
function withoutNoise(volume: Volume): ByteSource {
  const { source, payload } = volume;
  const offset = payloadStart(source) + KEPT;
  if (payload !== undefined || !(offset < source.size)) return source;
  const bytes = new Uint8Array(source.size - offset);
  const patched = new PatchedSource(source, [{ offset, bytes }]);
  const [before, after] = [volume, { ...volume, source: patched }].map(brokenRules);
  return String(before) === String(after) ? patched : source;
}

/** Where the payload starts, behind the area for key slots in any case. */
function payloadStart(source: ByteSource): number {
  const { metadata, ...copies } = chooseCopy(decodeLuks2(source));
  if (metadata === undefined) return DATA;
  const info = luks2Info({ ...copies, metadata });
  const number = (name: string) => Number(info[name]);
  return Math.max(
    number("payload-offset"),
    2 * number("header-size") + number("keyslots-size"),
  );
}
