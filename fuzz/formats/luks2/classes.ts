import { HEADER_SIZES, type KdfModel, type Luks2Model } from "../../../src/luks2/mod.ts";
import type { ModelClass } from "../kit.ts";
import { luks2Uses } from "./models.ts";

type Class = ModelClass<Luks2Model>;

const FAR = 2 ** 32;

/** What models of LUKS version 2 have to be. */
export const luks2Classes: readonly Class[] = [
  ...luks2Uses().map(({ encryption, keyBytes }): Class => ({
    name: `${encryption} with ${8 * keyBytes} bits`,
    share: 0.02,
    has: (model) => model.encryption === encryption && model.keyBytes === keyBytes,
  })),
  ...HEADER_SIZES.map((size): Class => ({
    name: `a header of ${size} bytes`,
    share: 0.0003,
    has: ({ headerSize }) => headerSize === size,
  })),
  ...[512, 1024, 2048, 4096].map((size): Class => ({
    name: `sectors of ${size} bytes`,
    share: 0.1,
    has: ({ sectorSize }) => sectorSize === size,
  })),
  ...["sha1", "sha256", "sha384", "sha512", "ripemd160"].map((hash): Class => ({
    name: `the hash ${hash}`,
    share: 0.05,
    has: (model) => model.hash === hash,
  })),
  ...(["pbkdf2", "argon2i", "argon2id"] satisfies KdfModel["type"][]).map((type): Class => ({
    name: `a key of ${type}`,
    share: 0.1,
    has: ({ keys }) => keys.some(({ kdf }) => kdf.type === type),
  })),
  {
    name: "argon2 with several lanes",
    share: 0.1,
    has: ({ keys }) => keys.some(({ kdf }) => kdf.type !== "pbkdf2" && kdf.cpus > 1),
  },
  {
    name: "another hash for the key than for its stripes",
    share: 0.1,
    has: ({ keys, hash }) => keys.some(({ kdf }) => kdf.type === "pbkdf2" && kdf.hash !== hash),
  },
  { name: "two keys", share: 0.1, has: ({ keys }) => keys.length === 2 },
  {
    name: "several keys of one passphrase",
    share: 0.02,
    has: ({ keys }) => new Set(keys.map(({ passphrase }) => passphrase)).size < keys.length,
  },
  { name: "three keys", share: 0.05, has: ({ keys }) => keys.length === 3 },
  {
    name: "a key in a late slot",
    share: 0.05,
    has: ({ keys }) => keys.some(({ slot }) => slot > 7),
  },
  {
    name: "a key that is preferred",
    share: 0.05,
    has: ({ keys }) => keys.some(({ priority }) => priority === 2),
  },
  {
    name: "a key that is ignored",
    share: 0.05,
    has: ({ keys }) => keys.some(({ priority }) => priority === 0),
  },
  ...(["older", "garbled", "missing"] as const).flatMap((state): Class[] => [
    {
      name: `a primary copy that is ${state}`,
      share: 0.001,
      has: ({ primary }) => primary === state,
    },
    {
      name: `a secondary copy that is ${state}`,
      share: 0.001,
      has: ({ secondary }) => secondary === state,
    },
  ]),
  {
    name: "a preferred key behind another of the same passphrase",
    share: 0.01,
    has: ({ keys }) =>
      keys.some(({ passphrase, priority }, index) =>
        priority === 2 &&
        keys.slice(0, index).some((key) => key.passphrase === passphrase && key.priority === 1)
      ),
  },
  { name: "tokens", share: 0.1, has: ({ tokens }) => tokens > 0 },
  { name: "a detached header", share: 0.1, has: ({ detached }) => detached },
  { name: "a segment with a size", share: 0.1, has: ({ fixed }) => fixed },
  { name: "free space behind the areas", share: 0.1, has: ({ spare }) => spare > 0 },
  {
    name: "sector numbers from below 2^32 to above",
    share: 0.02,
    has: ({ ivTweak, size }) => ivTweak < FAR && ivTweak + size / 512 > FAR,
  },
  { name: "sector numbers above 2^32", share: 0.001, has: ({ ivTweak }) => ivTweak > FAR },
  {
    name: "more than 256 KiB in sectors of 4096 bytes",
    share: 0.02,
    has: ({ size, sectorSize }) => sectorSize === 4096 && size > 2 ** 18,
  },
];
