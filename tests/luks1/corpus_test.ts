/** The volumes of the corpus, which have less in them than those that the rules are tested with. */

import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { luksCases } from "../../corpus/build/luks1.ts";
import { type ByteSource, MemorySource } from "../../src/bytes/mod.ts";
import { openVolume, readAll, type Volume } from "./ours.ts";
import { detachedCases, ruleCases } from "./rule_cases.ts";

/** Rules of which no file shows whether they are broken. */
const NOT_OF_A_FILE = ["luks.open.key-present", "luks.work.iterations-budget"];
/** A gzipped case: zeros, a header, a key, and a payload that does not compress. */
const PACKED_MAX = 10_000;

function sourceOf(file: ByteSource | Uint8Array | undefined): ByteSource {
  assert(file !== undefined);
  return file instanceof Uint8Array ? new MemorySource(file) : file;
}

/** What is found in a volume, and what can be read of it. */
function lookAt(volume: Volume): { rules: readonly string[]; content: Uint8Array | undefined } {
  const { layer, findings } = openVolume(volume);
  const readable = layer?.unlocked === true && findings.refusal("read") === undefined;
  return { rules: findings.rules(), content: readable ? readAll(layer) : undefined };
}

Deno.test("volumes of the corpus break the rules, and hold the content, of those with noise", () => {
  const pairs = [...ruleCases, ...detachedCases].filter(({ rule }) =>
    !NOT_OF_A_FILE.includes(rule)
  );
  const cases = luksCases();
  assertEquals(cases.length, 2 * pairs.length);
  const volumes = pairs.flatMap(({ broken, kept }) => [broken, kept]);
  for (const [index, { name, files, header, passphrases }] of cases.entries()) {
    const volume = volumes[index];
    assert(volume !== undefined);
    const [passphrase] = passphrases ?? [];
    const packed: Volume = {
      source: sourceOf(header === undefined ? files["image"] : files[header]),
      ...(header === undefined ? {} : { payload: sourceOf(files["image"]) }),
      ...(passphrase === undefined ? {} : { passphrase }),
    };
    assertEquals(lookAt(packed), lookAt(volume), name);
  }
});

Deno.test("volumes of the corpus compress to their payload and little else", () => {
  for (const { name, files } of luksCases()) {
    for (const file of Object.values(files)) {
      const source = sourceOf(file);
      const packed = gzipSync(source.read(0, source.size)).length;
      assert(packed < PACKED_MAX, `${name}: ${packed} bytes`);
    }
  }
});
