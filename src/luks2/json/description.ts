import { SECTOR } from "../../bytes/mod.ts";
import { hashNames } from "../../crypto/mod.ts";
import { KEYSLOTS_SIZE_MAX, SALT_BYTES, STRIPES, UNIT } from "../geometry.ts";
import type { ReadOf } from "./read.ts";
import {
  base64,
  digits,
  integer,
  map,
  names,
  object,
  type ObjectMember,
  references,
  text,
} from "./schema.ts";

/**
 * The JSON of a header: LUKS2 On-Disk Format 1.1.1, 3 LUKS2 JSON Metadata Format, and what
 * cryptsetup 2.6 requires of it. Hashes, ciphers and costs are judged when they are used.
 */

/** The requirements of an online reencryption that are known, with the version of each. */
export const ONLINE: ReadonlyMap<string, number> = new Map([
  ["online-reencrypt", 1],
  ["online-reencrypt-v2", 2],
  ["online-reencrypt-v3", 3],
]);
/** The requirement of an offline reencryption. */
export const OFFLINE = "offline-reencrypt";

const UINT32_MAX = 2 ** 32 - 1;

const hash = text("Name of the hash.", { known: hashNames });
const encryption = text("Cipher in dm-crypt's notation: aes-xts-plain64.", {});
const salt = base64("Salt.", { length: SALT_BYTES });

const config = object("Settings of the whole header.", {
  rule: "luks2.json.sections",
  members: {
    json_size: digits("Length of the JSON area.", {
      unit: "bytes",
      lenient: true,
      rule: "luks2.config.json-size",
      constraints: [
        { digitsAlone: true, rule: "luks2.config.decimal" },
        { equals: "length of the JSON area", rule: "luks2.config.json-size" },
      ],
    }),
    keyslots_size: digits("Length of the area for key slots.", {
      unit: "bytes",
      lenient: true,
      rule: "luks2.config.keyslots-size",
      constraints: [
        { digitsAlone: true, rule: "luks2.config.decimal" },
        { multipleOf: UNIT, rule: "luks2.config.keyslots-size" },
        { max: KEYSLOTS_SIZE_MAX, rule: "luks2.config.keyslots-size-max" },
      ],
    }),
    flags: names("Flags with which the volume is activated.", {
      optional: true,
      rule: "luks2.config.flags",
      known: ["allow-discards", "same-cpu-crypt", "no-journal"],
    }),
    requirements: object("Features that a reader must support.", {
      optional: true,
      rule: "luks2.config.requirements",
      members: {
        mandatory: names("Features without which the volume cannot be used.", {
          optional: true,
          rule: "luks2.config.requirements",
          known: [...ONLINE.keys(), OFFLINE],
        }),
      },
    }),
  },
});

const token = object("A way to get a passphrase.", {
  fields: "luks2.token.fields",
  members: {
    type: text("Kind of the token.", { known: ["luks2-keyring"] }),
    keyslots: references("Key slots that the passphrase opens.", {
      to: "keyslots",
      dangling: "luks2.token.keyslots",
    }),
  },
  variants: {
    "luks2-keyring": {
      later: true,
      members: { key_description: text("Key in the kernel that has the passphrase.", {}) },
    },
  },
});

const digest = object("A digest that verifies a key.", {
  fields: "luks2.digest.fields",
  members: {
    type: text("Kind of the digest.", { known: ["pbkdf2"] }),
    keyslots: references("Key slots that have the key.", {
      to: "keyslots",
      dangling: "luks2.digest.references",
    }),
    segments: references("Segments that are encrypted with the key.", {
      to: "segments",
      dangling: "luks2.digest.references",
    }),
  },
  variants: {
    pbkdf2: {
      later: true,
      members: {
        hash,
        iterations: integer("Iterations of PBKDF2.", { as: "low32", cost: true }),
        salt,
        digest: base64("PBKDF2 of the key.", {}),
      },
    },
  },
});

const segment = object("A part of the data.", {
  fields: "luks2.segment.fields",
  members: {
    flags: names("Purpose of the segment.", {
      optional: true,
      rule: "luks2.segment.flags",
      known: ["in-reencryption", "backup-final", "backup-previous", "backup-moved-segment"],
    }),
    type: text("Kind of the segment.", { known: ["crypt", "linear"] }),
    offset: digits("Start of the segment in the file with the data.", {
      unit: "bytes",
      malformed: "luks2.segment.offset",
      constraints: [{ multipleOf: SECTOR, rule: "luks2.segment.alignment" }],
    }),
    size: digits("Length of the segment, or dynamic if it extends to the end of the file.", {
      unit: "bytes",
      word: "dynamic",
      malformed: "luks2.segment.size",
      constraints: [
        { min: 1, rule: "luks2.segment.size" },
        { multipleOf: SECTOR, rule: "luks2.segment.alignment" },
      ],
    }),
  },
  variants: {
    crypt: {
      fields: "luks2.crypt.fields",
      members: {
        iv_tweak: digits("Number of the first sector, in units of 512 bytes.", {
          malformed: "luks2.crypt.iv-tweak",
        }),
        encryption,
        sector_size: integer("Length of an encryption sector.", {
          as: "uint32",
          unit: "bytes",
          constraints: [
            { min: SECTOR, rule: "luks2.crypt.sector-size" },
            { max: UINT32_MAX, rule: "luks2.crypt.sector-size" },
            { multipleOf: SECTOR, rule: "luks2.crypt.sector-size" },
          ],
        }),
        integrity: object("Integrity protection of the sectors.", {
          optional: true,
          rule: "luks2.crypt.integrity-fields",
          fields: "luks2.crypt.integrity-fields",
          members: {
            type: text("Algorithm that protects the sectors.", {}),
            journal_encryption: text("Cipher of the journal.", {}),
            journal_integrity: text("Algorithm that protects the journal.", {}),
          },
        }),
      },
    },
  },
});

const argon2 = {
  only: "luks2.kdf.other-fields",
  members: {
    time: integer("Passes of Argon2.", { as: "int", cost: true }),
    memory: integer("Memory that Argon2 fills, in KiB.", { as: "int", cost: true }),
    cpus: integer("Lanes of Argon2.", { as: "int", cost: true }),
    salt,
  },
} as const;

const kdf = object("Derivation of a key from a passphrase.", {
  fields: "luks2.kdf.fields",
  members: {
    type: text("Function that derives the key.", { known: ["pbkdf2", "argon2i", "argon2id"] }),
  },
  variants: {
    pbkdf2: {
      only: "luks2.kdf.other-fields",
      members: {
        hash,
        iterations: integer("Iterations of PBKDF2.", { as: "int", cost: true }),
        salt,
      },
    },
    argon2i: argon2,
    argon2id: argon2,
  },
});

const af = object("Anti-forensic splitting of the key.", {
  fields: "luks2.af.fields",
  members: {
    type: text("Kind of the splitter.", { constraints: [{ oneOf: ["luks1"] }] }),
    stripes: integer("Number of parts that the key is split into.", {
      as: "int",
      constraints: [{ oneOf: [STRIPES], rule: "luks2.af.stripes" }],
    }),
    hash,
  },
});

const checksum = {
  hash,
  sector_size: integer("Length of the block that each digest covers.", {
    as: "uint32",
    unit: "bytes",
    constraints: [{ min: SECTOR }, { max: UINT32_MAX }, { powerOfTwo: true }],
  }),
} as const;

const datashift = {
  shift_size: digits("Distance by which the data is moved.", {
    unit: "bytes",
    lenient: true,
    constraints: [{ min: 1 }, { multipleOf: SECTOR }],
  }),
} as const;

const keyslot = object("A place for a key.", {
  fields: "luks2.keyslot.fields",
  members: {
    type: text("Kind of the key slot.", { known: ["luks2", "reencrypt"] }),
    key_size: integer("Length of the key.", {
      as: "uint32",
      unit: "bytes",
      constraints: [{ min: 0 }, { max: UINT32_MAX }],
    }),
    priority: integer("2: attempted first; 1: attempted; 0: attempted only on request.", {
      as: "int",
      optional: true,
      absent: 1,
      rule: "luks2.keyslot.priority",
      constraints: [{ oneOf: [0, 1, 2], rule: "luks2.keyslot.priority" }],
    }),
    area: object("Area of the key slot.", {
      rule: "luks2.area.fields",
      fields: "luks2.area.fields",
      members: {
        type: text("Kind of the area.", {
          known: ["raw", "none", "journal", "checksum", "datashift"],
        }),
        offset: digits("Start of the area in the file with the header.", {
          unit: "bytes",
          constraints: [{ multipleOf: UNIT, rule: "luks2.area.alignment" }],
        }),
        size: digits("Length of the area.", { unit: "bytes" }),
      },
    }),
  },
  variants: {
    luks2: {
      fields: "luks2.keyslot.objects",
      members: {
        kdf,
        af,
        area: object("Area of the key material.", {
          fields: "luks2.area.raw",
          members: {
            type: text("Kind of the area.", { constraints: [{ oneOf: ["raw"] }] }),
            encryption,
            key_size: integer("Length of the key that encrypts the key material.", {
              as: "int",
              unit: "bytes",
            }),
          },
        }),
      },
    },
    reencrypt: {
      fields: "luks2.reencryption.keyslot",
      members: {
        mode: text("Operation on the data.", {
          constraints: [{ oneOf: ["reencrypt", "encrypt", "decrypt"] }],
        }),
        direction: text("Direction in which the data is processed.", {
          constraints: [{ oneOf: ["forward", "backward"] }],
        }),
        key_size: integer("Not used.", { as: "uint32", constraints: [{ oneOf: [1] }] }),
        area: object("Protection of the data that is being rewritten.", {
          optional: true,
          members: {},
          variants: {
            none: { members: {} },
            journal: { members: {} },
            checksum: { members: checksum },
            datashift: { members: datashift },
            "datashift-journal": { members: datashift },
            // cryptsetup ignores shift_size here.
            "datashift-checksum": { members: checksum },
          },
        }),
      },
    },
  },
});

function section<const E extends ObjectMember>(doc: string, called: string, entry: E) {
  return map(doc, { rule: "luks2.json.sections", numbered: "luks2.json.names", called, entry });
}

/** The outermost object, its members in the order in which they are judged. */
export const metadata = object("The metadata of the volume.", {
  rule: "luks2.json.sections",
  members: {
    config,
    tokens: section("Ways to get a passphrase.", "token", token),
    digests: section("Digests of the keys.", "digest", digest),
    segments: section("The parts of the data.", "segment", segment),
    keyslots: section("Places for keys.", "key slot", keyslot),
  },
});

/** The metadata as it is read. */
export type Luks2Json = ReadOf<typeof metadata>;
/** A token as it is read. */
export type Token = Luks2Json["tokens"][number];
/** A digest as it is read. */
export type Digest = Luks2Json["digests"][number];
/** A segment as it is read. */
export type Segment = Luks2Json["segments"][number];
/** A key slot as it is read. */
export type Keyslot = Luks2Json["keyslots"][number];
/** The key derivation of a key slot as it is read. */
export type Kdf = Keyslot["kdf"];
