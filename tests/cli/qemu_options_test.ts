/** Every option of qemu-img create and amend, and every value: covered here, or left out with a reason. */
import { assert, assertEquals } from "@std/assert";
import { random } from "../../src/cli/random.ts";
import { FormatOptions } from "../../src/cli/create_options.ts";
import { formatNamed } from "../../src/formats.ts";
import type { Creation } from "../../src/image/create/mod.ts";
import { runTool } from "../../src/peers/mod.ts";
import { liveTest } from "../live.ts";
import { writeMade } from "../image/created.ts";

/** Values of an option, or the reason why it is left out. */
type Coverage = readonly string[] | { readonly leftOut: string };

const SECRET: Coverage = { leftOut: "passphrases are given with --passphrase-file" };
const TIME: Coverage = { leftOut: "iterations=N is exact, and needs no measurement" };
const ON_OFF = ["on", "off"];
const BACKING: Record<string, Coverage> = { backing_file: ["base"], backing_fmt: ["raw"] };

const LUKS: Record<string, Coverage> = {
  "cipher-alg": [
    ...["aes-128", "aes-256", "cast5-128"],
    ...["serpent-128", "serpent-256", "twofish-128", "twofish-256"],
  ],
  "cipher-mode": ["ecb", "cbc", "xts", "ctr"],
  "hash-alg": ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"],
  "ivgen-alg": ["plain", "plain64", "essiv"],
  "ivgen-hash-alg": ["sha256"],
  "iter-time": TIME,
  "key-secret": SECRET,
};

const ABORTS =
  "qemu-img 7.2 aborts: key material of 96000 bytes is not whole sectors (crypto/block.c)";

/** The values of enumerations (qapi/crypto.json) that are left out. */
const VALUES_LEFT_OUT: Readonly<Record<string, string>> = {
  "cipher-alg=des": "LUKS has no name for it in QEMU (crypto/block-luks.c)",
  "cipher-alg=3des": "LUKS has no name for it in QEMU (crypto/block-luks.c)",
  "cipher-alg=aes-192": ABORTS,
  "cipher-alg=serpent-192": ABORTS,
  "cipher-alg=twofish-192": ABORTS,
  "ivgen-hash-alg=md5": "its digest is a key of AES-128 only, as sha256 is one of AES-256",
  "ivgen-hash-alg=sha1": "its digest is not a key of any cipher",
  "ivgen-hash-alg=sha224": "its digest is not a key of any cipher",
  "ivgen-hash-alg=sha384": "its digest is not a key of any cipher",
  "ivgen-hash-alg=sha512": "its digest is not a key of any cipher",
  "ivgen-hash-alg=ripemd160": "its digest is not a key of any cipher",
};

const HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"];
const ENUMERATIONS: Readonly<Record<string, readonly string[]>> = {
  "cipher-alg": [
    ...["aes-128", "aes-192", "aes-256", "des", "3des", "cast5-128"],
    ...["serpent-128", "serpent-192", "serpent-256"],
    ...["twofish-128", "twofish-192", "twofish-256"],
  ],
  "cipher-mode": ["ecb", "cbc", "xts", "ctr"],
  "hash-alg": HASHES,
  "ivgen-alg": ["plain", "plain64", "essiv"],
  "ivgen-hash-alg": HASHES,
};

const withPrefix = (options: Record<string, Coverage>): Record<string, Coverage> =>
  Object.fromEntries(Object.entries(options).map(([name, values]) => [`encrypt.${name}`, values]));

const SIZE: Coverage = { leftOut: "the size is an argument" };

/** The options of `qemu-img create -o help`, by format. */
const CREATE: Readonly<Record<string, Readonly<Record<string, Coverage>>>> = {
  qcow2: {
    ...BACKING,
    cluster_size: ["512", "4k", "64K", "2M"],
    compat: ["0.10", "1.1", "v2", "v3"],
    compression_type: ["zlib", "zstd"],
    data_file: ["DIR/data"],
    data_file_raw: ON_OFF,
    "encrypt.format": ["aes", "luks"],
    encryption: ON_OFF,
    extended_l2: ON_OFF,
    lazy_refcounts: ON_OFF,
    preallocation: ["off", "metadata", "falloc", "full"],
    refcount_bits: ["1", "2", "4", "8", "16", "32", "64"],
    size: SIZE,
    ...withPrefix(LUKS),
  },
  qcow: {
    ...BACKING,
    "encrypt.format": ["aes"],
    "encrypt.key-secret": SECRET,
    encryption: ON_OFF,
    size: SIZE,
  },
  luks: { ...LUKS, size: SIZE },
};

const KEYS: Coverage = { leftOut: "the verb key adds, changes and erases keys" };

/** The options of `qemu-img amend -f qcow2 -o help`. */
const AMEND: Readonly<Record<string, Coverage>> = {
  backing_file: { leftOut: "qemu-img rejects another name; the verb rebase changes it" },
  backing_fmt: { leftOut: "qemu-img rejects another format; the verb rebase changes it" },
  // Used in tests/qcow2/manage/amend_test.ts.
  compat: ["0.10", "1.1"],
  data_file: ["data"],
  data_file_raw: ON_OFF,
  "encrypt.iter-time": KEYS,
  "encrypt.keyslot": KEYS,
  "encrypt.new-secret": KEYS,
  "encrypt.old-secret": KEYS,
  "encrypt.state": KEYS,
  lazy_refcounts: ON_OFF,
  refcount_bits: ["1", "2", "4", "8", "16", "32", "64"],
  size: ["2M"],
};

/** Options that another one requires. */
const REQUIRES: Readonly<Record<string, string>> = {
  refcount_bits: "cluster_size=64k",
  data_file_raw: "data_file=DIR/data",
  extended_l2: "cluster_size=64k",
  "cipher-alg": "cipher-mode=cbc",
  "ivgen-alg": "ivgen-hash-alg=sha256,cipher-alg=aes-256,cipher-mode=cbc",
  "ivgen-hash-alg": "ivgen-alg=essiv,cipher-alg=aes-256,cipher-mode=cbc",
};

const PASSPHRASE = new TextEncoder().encode("password");

async function optionsOf(verb: "create" | "amend", format: string): Promise<string[]> {
  const { stdout } = await runTool(["qemu-img", verb, "-f", format, "-o", "help"]);
  return [...stdout.matchAll(/^ +([\w.-]+)=</gm)].map(([, name = ""]) => name);
}

/** Creates an image with an option, and opens it with qemu-img. Returns the status of its check. */
async function created(directory: string, format: string, text: string): Promise<number> {
  const creator = formatNamed(format)?.create;
  assert(creator !== undefined);
  const isLuks = format === "luks" || text.includes("encrypt.format=luks");
  const isEncrypted = isLuks || /aes$|encryption=on/.test(text) && format !== "luks";
  const iterations = isLuks ? `,${format === "luks" ? "" : "encrypt."}iterations=1000` : "";
  const options = new FormatOptions([text.replace("DIR", directory) + iterations], {
    name: format,
    options: creator.options,
  });
  const plan = creator.plan({
    options,
    size: 2 ** 20,
    passphrases: isEncrypted ? [PASSPHRASE] : [],
    compressed: false,
    detached: false,
    random,
    ...(text.includes("backing") ? { backing: { name: "base", format: "raw" } } : {}),
  });
  const image = `${directory}/image`;
  const creation = { format, ...(plan as object) } as Creation;
  writeMade({ image, data: `${directory}/data` }, creation);
  const key = ["--object", `secret,id=key,file=${directory}/key`];
  const prefix = format === "luks" ? "" : "encrypt.";
  const secret = isEncrypted ? `${prefix}key-secret=key,` : "";
  const opened = `driver=${format},${secret}file.filename=${image}`;
  const { end } = await runTool(
    ["qemu-img", "check", ...(isEncrypted ? key : []), "--image-opts", opened],
  );
  return end.kind === "exited" ? end.code : -1;
}

for (const [format, covered] of Object.entries(CREATE)) {
  liveTest(
    { needs: ["qemu-img"] },
    `create has each option of qemu-img for ${format}`,
    async (at) => {
      Deno.writeFileSync(`${at}/base`, new Uint8Array(2 ** 20));
      Deno.writeFileSync(`${at}/key`, PASSPHRASE);
      assertEquals(Object.keys(covered).sort(), (await optionsOf("create", format)).sort());
      for (const [name, values] of Object.entries(covered)) {
        if ("leftOut" in values) continue;
        for (const value of values) {
          // Those of LUKS inside qcow2 are the same code.
          if (
            name.startsWith("encrypt.") && name !== "encrypt.format" && value !== values[0]
          ) continue;
          const first = name.startsWith("encrypt.") && name !== "encrypt.format"
            ? "encrypt.format=luks,"
            : "";
          const short = name.replace("encrypt.", "");
          const others = (REQUIRES[name] ?? REQUIRES[short] ?? "").split(",").filter((it) =>
            it !== ""
          );
          const prefix = first === "" ? "" : "encrypt.";
          const more = others.map((it) => `${prefix}${it},`).join("");
          const text = `${first}${more}${name}=${value}`;
          const check = await created(at, format, text);
          assertEquals(check, format === "qcow2" ? 0 : 63, `${format}: ${text}`);
        }
      }
    },
  );
}

Deno.test("each value of an enumeration is covered or left out with a reason", () => {
  for (const [name, values] of Object.entries(ENUMERATIONS)) {
    const covered = LUKS[name];
    assert(covered !== undefined && !("leftOut" in covered));
    for (const value of values) {
      const isLeftOut = VALUES_LEFT_OUT[`${name}=${value}`] !== undefined;
      assert(covered.includes(value) !== isLeftOut, `${name}=${value}`);
    }
  }
});

liveTest({ needs: ["qemu-img"] }, "amend has each option of qemu-img for qcow2", async () => {
  assertEquals(Object.keys(AMEND).sort(), (await optionsOf("amend", "qcow2")).sort());
});
