import { assert, assertEquals } from "@std/assert";
import { FileSource, MemorySource } from "../../src/bytes/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";
import { chooseCopy, decodeLuks2, unlock, type Unlocked } from "../../src/luks2/mod.ts";
import { run, succeed } from "../luks1/live.ts";
import {
  encryptWithCryptsetup,
  formatWithCryptsetup,
  metadataOf,
  QUICK_ARGON2ID,
  QUICK_PBKDF2,
  volumeKeyOf,
} from "./made.ts";
import { messagesOf, openVolume, readAll } from "./ours.ts";
import { kernelCases } from "../../corpus/cases/luks2/keys.ts";
import { volumesOf } from "../volume.ts";
import { testPassphrase, writeVolume } from "./live.ts";
import { type AnyJson, changed } from "./volumes.ts";
import { liveTest } from "../live.ts";

const SIZE = 2 ** 20;
const content = patternBytes({ kind: "noise", seed: 7 }, SIZE);

/** Options of luksFormat that change what content looks like. */
const making: readonly (readonly string[])[] = [
  [...QUICK_PBKDF2],
  [...QUICK_ARGON2ID],
  [...QUICK_PBKDF2, "--sector-size", "4096"],
  [...QUICK_PBKDF2, "--key-size", "256", "--hash", "sha512"],
  [...QUICK_PBKDF2, "--cipher", "aes-cbc-essiv:sha256", "--key-size", "256"],
  [...QUICK_PBKDF2, "--cipher", "aes-cbc-plain64", "--key-size", "128", "--sector-size", "2048"],
  [...QUICK_PBKDF2, "--cipher", "aes-xts-plain"],
  [...QUICK_PBKDF2, "--cipher", "aes-cbc-plain64be", "--key-size", "256", "--sector-size", "1024"],
];

for (const options of making) {
  const name = options.join(" ");
  liveTest(
    { needs: ["cryptsetup"] },
    `content that cryptsetup encrypts is read: ${name}`,
    async (dir) => {
      const { path } = await encryptWithCryptsetup(`${dir}/volume`, {
        passphrase: "pw",
        content,
        options,
      });
      const source = new FileSource(path);
      const { layer, findings } = openVolume({ source, passphrase: "pw" });
      assertEquals(messagesOf(findings), []);
      assert(layer?.unlocked);
      const read = readAll(layer);
      assertEquals(read.length, source.size - 2 ** 24);
      assertEquals(read.subarray(0, SIZE), content);
      // From the middle of a sector to the middle of another one.
      const [run] = layer.runs(0, layer.virtualSize);
      assert(run !== undefined);
      const part = new Uint8Array(10_000);
      layer.readRun(run, 777, part);
      assertEquals(part, content.subarray(777, 10_777));
      source.close();
    },
  );

  liveTest({ needs: ["cryptsetup"] }, `the same with a detached header: ${name}`, async (dir) => {
    const files = await encryptWithCryptsetup(`${dir}/volume`, {
      passphrase: "pw",
      content,
      options,
      detached: true,
    });
    const source = new FileSource(files.path);
    const payload = new FileSource(files.payload ?? "");
    const { layer, findings } = openVolume({ source, payload, passphrase: "pw" });
    assertEquals(messagesOf(findings), []);
    assert(layer !== undefined);
    assertEquals(readAll(layer), content);
    assertEquals(openVolume({ source, passphrase: "pw" }).findings.rules(), [
      "luks2.payload.attached",
    ]);
    source.close();
    payload.close();
  });
}

function unlocked(path: string, passphrase: string, slot?: number): Unlocked | undefined {
  const keyMaterial = new FileSource(path);
  try {
    const { metadata } = chooseCopy(decodeLuks2(keyMaterial));
    assert(metadata !== undefined);
    const result = unlock(metadata, {
      keyMaterial,
      passphrase: new TextEncoder().encode(passphrase),
      ...slot === undefined ? {} : { slot },
    });
    return "volumeKey" in result ? result : undefined;
  } finally {
    keyMaterial.close();
  }
}

liveTest(
  { needs: ["cryptsetup"] },
  "the volume key is the one that cryptsetup finds",
  async (directory) => {
    for (
      const options of [QUICK_PBKDF2, QUICK_ARGON2ID, [
        "--pbkdf",
        "argon2i",
        ...QUICK_ARGON2ID.slice(2),
      ]]
    ) {
      const path = `${directory}/volume`;
      await formatWithCryptsetup(path, { passphrase: "pw", options });
      const volumeKey = await volumeKeyOf(path);
      assertEquals(unlocked(path, "pw"), { slot: 0, volumeKey, keys: new Map([["0", volumeKey]]) });
      assertEquals(unlocked(path, "pW"), undefined);
      await Deno.remove(path);
    }
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "info prints what luksDump --dump-json-metadata prints",
  async (directory) => {
    const path = `${directory}/volume`;
    const options = [...QUICK_ARGON2ID, "--label", "name", "--subsystem", "part"];
    await formatWithCryptsetup(path, { passphrase: "pw", options });
    await succeed([
      ...["cryptsetup", "token", "add", "--key-description", "key", "--key-slot", "0", path],
    ]);
    const source = new FileSource(path);
    const { layer } = openVolume({ source });
    const told = layer?.info()["format-specific"]?.data ?? {};
    const theirs: AnyJson = await metadataOf(path);
    const { area, kdf, af } = theirs.keyslots["0"];
    assertEquals(told.keyslots, [{
      id: "0",
      type: "luks2",
      "key-bytes": theirs.keyslots["0"].key_size,
      priority: 1,
      "key-offset": Number(area.offset),
      "key-area-size": Number(area.size),
      cipher: area.encryption,
      "cipher-key-bytes": area.key_size,
      kdf: { type: "argon2id", time: kdf.time, memory: kdf.memory, cpus: kdf.cpus },
      "af-hash": af.hash,
      stripes: af.stripes,
    }]);
    assertEquals(told.tokens, [{ id: "0", type: "luks2-keyring", keyslots: ["0"] }]);
    assertEquals(told["payload-offset"], Number(theirs.segments["0"].offset));
    assertEquals(told["keyslots-size"], Number(theirs.config.keyslots_size));
    assertEquals(told["sector-size"], theirs.segments["0"].sector_size);
    const dump = await succeed(["cryptsetup", "luksDump", path]);
    const said = (name: string) => new RegExp(`${name}:\\s+(\\S+)`).exec(dump)?.[1];
    assertEquals(
      [said("Epoch"), said("UUID"), said("Label"), said("Subsystem"), said("Version")],
      [String(told.seqid), told.uuid, told.label, told.subsystem, String(told.version)],
    );
    source.close();
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "keys that cryptsetup adds, prefers and erases are found",
  async (dir) => {
    const path = `${dir}/volume`;
    await formatWithCryptsetup(path, { passphrase: "old", options: QUICK_PBKDF2 });
    await Deno.writeTextFile(`${path}.added`, "new");
    await succeed([
      ...["cryptsetup", "luksAddKey", "--batch-mode", ...QUICK_ARGON2ID],
      ...["--key-file", `${path}.passphrase`, "--key-slot", "6", path, `${path}.added`],
    ]);
    assertEquals([unlocked(path, "new")?.slot, unlocked(path, "old")?.slot], [6, 0]);
    const config = ["cryptsetup", "config", "--key-slot", "6", "--priority"];
    await succeed([...config, "ignore", path]);
    assertEquals(unlocked(path, "new"), undefined);
    assertEquals(unlocked(path, "new", 6)?.slot, 6);
    await succeed([...config, "prefer", path]);
    assertEquals(unlocked(path, "new")?.slot, 6);
    await succeed(["cryptsetup", "luksKillSlot", "--batch-mode", path, "0"]);
    assertEquals([unlocked(path, "new")?.slot, unlocked(path, "old")], [6, undefined]);
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "a backup of a header opens as a detached header",
  async (directory) => {
    const files = await encryptWithCryptsetup(`${directory}/volume`, {
      passphrase: "pw",
      content,
      options: QUICK_PBKDF2,
    });
    const backup = `${directory}/backup`;
    await succeed([
      ...["cryptsetup", "luksHeaderBackup", files.path, "--header-backup-file", backup],
    ]);
    const source = new FileSource(backup);
    const payload = new FileSource(files.path);
    const { layer, findings } = openVolume({ source, payload, passphrase: "pw" });
    assertEquals(messagesOf(findings), []);
    assert(layer !== undefined);
    assertEquals(readAll(layer).subarray(0, SIZE), content);
    source.close();
    payload.close();
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup writes a damaged copy again, from the one that counts",
  async (dir) => {
    const path = `${dir}/volume`;
    const damaged = { fields: { csum: "" }, unsummed: true } as const;
    const labelled = (label: string, only: "primary" | "secondary") => ({
      fields: { label },
      only,
    });
    for (
      const [changes, label] of [
        [[labelled("one", "primary"), labelled("two", "secondary")], "one"],
        [[labelled("one", "primary"), labelled("two", "secondary"), {
          ...damaged,
          only: "primary",
        }], "two"],
        [[labelled("one", "primary"), { fields: { seqid: 6 }, only: "primary" }], "one"],
        [[labelled("two", "secondary"), { fields: { seqid: 6 }, only: "secondary" }], "two"],
      ] as const
    ) {
      await Deno.writeFile(path, changed({}, ...changes));
      const before = new FileSource(path);
      const ours = openVolume({ source: before }).layer?.info()["format-specific"]?.data.label;
      before.close();
      assertEquals(ours, label);
      assert(
        (await succeed(["cryptsetup", "luksDump", path])).includes(`Label:         \t${label}\n`),
      );
      const after = new FileSource(path);
      const { primary, secondary } = decodeLuks2(after);
      assertEquals([primary.intact, secondary.intact], [true, true]);
      after.close();
    }
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup takes any passphrase where a digest has another length",
  async (dir) => {
    const path = `${dir}/volume`;
    const salt = btoa("x");
    await Deno.writeFile(
      path,
      changed({}, { json: (root) => void (root.digests["0"].salt = salt) }),
    );
    await Deno.writeTextFile(`${path}.passphrase`, "of nobody");
    const { code } = await run([
      ...["cryptsetup", "open", "--test-passphrase", "--key-file", `${path}.passphrase`, path],
    ]);
    const version = await succeed(["cryptsetup", "--version"]);
    if (/ 2\.[67]\./.test(version)) assertEquals(code, 0);
    // deno-lint-ignore no-console
    else console.log(`skipped: ${version.trim()} is not 2.6 or 2.7; it ended with ${code}`);
    assertEquals(unlocked(path, "of nobody"), undefined);
  },
);

liveTest(
  { needs: ["cryptsetup"] },
  "a key slot that cannot be read ends the search for one, and is not looked at behind one that opens",
  async (dir) => {
    const path = `${dir}/volume`;
    for (
      const [passphrase, priority, opened] of [
        ["second", 1, undefined],
        ["second", 2, 3],
        ["first", 2, undefined],
      ] as const
    ) {
      await writeVolume(path, {
        source: new MemorySource(changed({}, {
          json: (root) => {
            // The last page before the payload, behind which there is less than a key takes.
            root.keyslots["0"].area = {
              ...root.keyslots["0"].area,
              offset: "552960",
              size: "4096",
            };
            root.keyslots["3"].priority = priority;
          },
        })),
        passphrase,
      });
      assertEquals(unlocked(path, passphrase)?.slot, opened);
      const { code, stderr } = await testPassphrase(path);
      assertEquals(code === 0, opened !== undefined, stderr);
      assertEquals(/IO error while decrypting keyslot/.test(stderr), opened === undefined);
      // If it is requested by its number, a later slot opens.
      assertEquals(unlocked(path, "second", 3)?.slot, 3);
      const { code: third } = await testPassphrase(path, "--key-slot", "3");
      assertEquals(third === 0, passphrase === "second");
    }
  },
);

const TOLD = {
  "luks2.payload.attached": "Reduced data offset is allowed only for detached LUKS header",
  "luks2.payload.header-alone": "too small for activation",
};

for (const [rule, message] of Object.entries(TOLD)) {
  // An open that is not refused would make a device: only what is broken is tried.
  liveTest(
    { needs: ["cryptsetup"] },
    `cryptsetup says what ${rule} does, before any device`,
    async (dir) => {
      const path = `${dir}/volume`;
      const found = kernelCases.find((candidate) => candidate.rule === rule);
      assert(found !== undefined);
      await writeVolume(path, volumesOf(found).broken);
      const { code, stderr } = await run([
        ...["cryptsetup", "open", "--key-file", `${path}.passphrase`, path, "diskproof-refused"],
      ]);
      assert(code !== 0);
      assert(stderr.includes(message), stderr);
    },
  );
}

liveTest(
  { needs: ["cryptsetup"] },
  "cryptsetup adds no key to a volume with a requirement that it does not know",
  async (dir) => {
    const path = `${dir}/volume`;
    await Deno.writeTextFile(`${path}.passphrase`, "first");
    await Deno.writeTextFile(`${path}.added`, "added");
    for (const [requirements, adds] of [[{ mandatory: ["x"] }, false], [{ x: 1 }, true]] as const) {
      const edit = { json: (root: AnyJson) => void (root.config.requirements = requirements) };
      await Deno.writeFile(path, changed({ spare: 2 ** 20 }, edit));
      const { code } = await run([
        ...["cryptsetup", "luksAddKey", "--batch-mode", ...QUICK_PBKDF2],
        ...["--key-file", `${path}.passphrase`, path, `${path}.added`],
      ]);
      assertEquals(code === 0, adds);
    }
  },
);
