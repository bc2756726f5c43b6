import { canonicalHash } from "../../../src/crypto/mod.ts";
import type { Luks1Model } from "../../../src/luks1/mod.ts";
import type { ModelClass } from "../kit.ts";

type Class = ModelClass<Luks1Model>;

/** Models whose cipher has one of the values in a member, each so often. */
function each(
  member: "cipher" | "mode" | "ivGenerator",
  share: number,
  values: readonly string[],
): Class[] {
  return values.map((value) => ({
    name: `${member} ${value}`,
    share,
    has: ({ spec }) => spec[member] === value,
  }));
}

/** What models of LUKS version 1 have to be. */
export const luks1Classes: readonly Class[] = [
  ...each("cipher", 0.02, ["aes", "serpent", "twofish", "cast5", "sm4", "camellia"]),
  ...each("mode", 0.02, ["xts", "cbc", "ctr", "ecb", "cfb", "ofb"]),
  ...each("ivGenerator", 0.02, ["plain", "plain64", "plain64be", "essiv", "benbi", "null"]),
  ...each("ivGenerator", 0.005, ["eboiv"]),
  ...["sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160", "md5", "sm3"].map((name) => ({
    name: `the hash ${name}`,
    share: 0.02,
    has: ({ spec }: Luks1Model) => canonicalHash(spec.hash) === name,
  })),
  { name: "a key of 24 bytes", share: 0.05, has: ({ spec }) => spec.keyBytes === 24 },
  { name: "two keys, of which the last opens", share: 0.2, has: ({ keys }) => keys.length === 2 },
  {
    name: "several keys of one passphrase",
    share: 0.02,
    has: ({ keys }) => new Set(keys.map(({ passphrase }) => passphrase)).size < keys.length,
  },
  { name: "three keys", share: 0.05, has: ({ keys }) => keys.length === 3 },
  { name: "no key in the first slot", share: 0.1, has: ({ keys }) => (keys[0]?.slot ?? 0) > 0 },
  { name: "an erased key", share: 0.05, has: ({ erased }) => erased.length > 0 },
  { name: "a gap before the payload", share: 0.05, has: ({ gap }) => gap > 0 },
  { name: "a detached header", share: 0.1, has: ({ detached }) => detached },
  { name: "a header that is cut", share: 0.05, has: ({ cutHeader }) => cutHeader },
  { name: "a last sector that is cut", share: 0.05, has: ({ tail }) => tail > 0 },
  { name: "more than 256 sectors", share: 0.05, has: ({ size }) => size > 256 * 512 },
];
