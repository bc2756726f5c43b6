import { buildLuks1 } from "../../src/luks1/mod.ts";
import { LuksdePeer, PeerError, runTool, withScratch } from "../../src/peers/mod.ts";
import {
  type ImageRecord,
  recordedTool,
  type ToolCrash,
  unpackRecord,
} from "../../src/recorded/mod.ts";
import { modelOf as luksModelOf, sourceOf } from "../../tests/luks1/volumes.ts";
import { type AnyJson, changedVolume } from "../../tests/luks2/volumes.ts";
import type { Case } from "./corpus.ts";

/** Sound volumes on which a tool dies, and their neighbours on which it does not. */
export function toolCases(): Case[] {
  return [...tokens(), ...xts()];
}

/**
 * A token whose number is one more than cryptsetup 2.6.1 has room for, and the last one that it has
 * (cryptsetup lib/luks2/luks2_token.c, token_is_blocked).
 */
function tokens(): Case[] {
  return [32, 31].map((number) => {
    const { source } = changedVolume({}, {
      json: (root: AnyJson) => void (root.tokens = { [number]: root.tokens["0"] }),
    });
    return {
      name: `luks2.token.fields-number-${number}`,
      rule: "luks2.token.fields",
      breaks: false,
      changes: [`the token is named ${number}, not 0`],
      files: { image: source },
      format: "luks2",
      passphrases: ["first"],
    };
  });
}

/**
 * Keys of XTS that libluksde 20200205 has no room for, and the longest one that it has
 * (`luksdeinfo -p`: "stack smashing detected").
 */
function xts(): Case[] {
  return [64, 48, 32].map((keyBytes) => {
    const { spec } = luksModelOf();
    const { image } = buildLuks1(luksModelOf({
      spec: { ...spec, mode: "xts", keyBytes },
      material: "sparse",
    }));
    return {
      name: `luks.key.xts-even-${keyBytes}-bytes`,
      rule: "luks.key.xts-even",
      breaks: false,
      changes: [`the mode is xts, and the key has ${keyBytes} bytes`],
      files: { image: sourceOf(image) },
      format: "luks",
      passphrases: ["first"],
      crashes: [["luksdeinfo", "-p", "first", "image"]],
    };
  });
}

/** Adds of which commands tools die that `validate` does not ask; nothing where none does. */
export async function withCrashes(
  record: ImageRecord,
  { images, commands }: { images: string; commands: readonly (readonly string[])[] },
): Promise<ImageRecord> {
  if (commands.length === 0) return record;
  const { version } = await new LuksdePeer().describe();
  const crashes: ToolCrash[] = [];
  for (const argv of commands) {
    const answer = await withScratch(async (directory) => {
      unpackRecord(images, record, directory);
      return recordedTool(await runTool(argv, { directory }));
    });
    if ("crashed" in answer) crashes.push({ argv, version, ...answer });
    if ("hung" in answer) throw new PeerError(`${argv.join(" ")} hangs`);
  }
  return crashes.length === 0 ? record : { ...record, crashes };
}
