/** The volumes of the corpus, in which zeros are in place of noise. */

import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { brokenImage, keptImage, luks1Cases } from "../../corpus/cases/mod.ts";
import { withoutNoise } from "../../corpus/build/noise.ts";
import { openVolume, readAll, type Volume } from "../luks1/ours.ts";
import { volumeIn } from "../volume.ts";

/** Rules of the caller's options, of which no file shows whether they are broken. */
const NOT_OF_A_FILE = ["luks.open.key-present", "luks.work.iterations-budget"];
/** What zeros in place of key material break. */
const OF_ZEROS = "luks.slot.material-random";
/** A gzipped volume: zeros, a header, a key, and a payload that does not compress. */
const PACKED_MAX = 10_000;

const images = luks1Cases.filter(({ rule }) => !NOT_OF_A_FILE.includes(rule)).flatMap((of) => [
  { name: `${of.rule} broken`, image: brokenImage(of) },
  { name: `${of.rule} kept`, image: keptImage(of) },
]);

/** What is found in a volume, and what can be read of it. */
function lookAt(volume: Volume): { rules: readonly string[]; content: Uint8Array | undefined } {
  const { layer, findings } = openVolume(volume);
  const readable = layer?.unlocked === true && findings.refusal("read") === undefined;
  const rules = findings.rules().filter((rule) => rule !== OF_ZEROS);
  return { rules, content: readable ? readAll(layer) : undefined };
}

Deno.test("volumes of the corpus break the same rules and have the same content as those with noise", () => {
  for (const { name, image } of images) {
    const quiet = volumeIn(withoutNoise(image));
    assertEquals(lookAt(quiet), lookAt(volumeIn(image)), name);
    const wanted = name.startsWith(OF_ZEROS) ? [name.endsWith("broken")] : [true, false];
    assert(wanted.includes(openVolume(quiet).findings.count(OF_ZEROS) > 0), name);
  }
});

Deno.test("volumes of the corpus compress to their payload and little else", () => {
  for (const { name, image } of images) {
    const quiet = withoutNoise(image);
    for (const source of [quiet.image, ...Object.values(quiet.files)]) {
      const packed = gzipSync(source.read(0, source.size)).length;
      assert(packed < PACKED_MAX, `${name}: ${packed} bytes`);
    }
  }
});
