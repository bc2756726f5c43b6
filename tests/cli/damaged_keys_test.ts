import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { measured, run, succeed } from "../luks1/live.ts";
import { liveTest } from "../live.ts";
import { diskproof } from "./program.ts";

const QUICK = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
/** Where the key material of the first slot starts. */
const MATERIAL = { luks1: 0x1000, luks2: 0x8000 } as const;
const RULE = { luks1: "luks.slot.material-random", luks2: "luks2.area.random" } as const;
const FROM = 0x400;
const TO = 0xa400;

for (const type of ["luks1", "luks2"] as const) {
  liveTest(
    { needs: ["cryptsetup"] },
    `an erased key slot of ${type} is told from a wrong passphrase, wherever one fails`,
    async (directory) => {
      const path = `${directory}/file`;
      for (const word of ["one", "bad"]) Deno.writeTextFileSync(`${directory}/${word}`, word);
      Deno.writeFileSync(path, new Uint8Array(0));
      Deno.truncateSync(path, 20 * 2 ** 20);
      const format = ["cryptsetup", "luksFormat", "-q", "--type", type, ...QUICK];
      await succeed([...format, path, `${directory}/one`]);
      const said = async (...args: string[]): Promise<string> => {
        const { stdout, stderr } = await diskproof(directory, args);
        return stdout + stderr;
      };
      const wrong = [
        ["judge", "file", "--passphrase-file", "bad"],
        ["key", "test", "file", "--passphrase-file", "bad"],
        ["digest", "file", "--passphrase-file", "bad"],
      ];
      for (const args of wrong) assert(!(await said(...args)).includes("erased"));
      assert(!(await said("inspect", "file")).includes("erased"));
      {
        using file = Deno.openSync(path, { write: true });
        file.seekSync(MATERIAL[type] + FROM, Deno.SeekMode.Start);
        file.writeSync(new Uint8Array(TO - FROM));
      }
      const opened = ["cryptsetup", "open", "--test-passphrase", "--key-file", `${directory}/one`];
      assertEquals((await run([...opened, path])).code, 2);
      const place = [FROM, TO].map((at) => `0x${(MATERIAL[type] + at).toString(16)}`);
      const expected = `key material of slot 0 is zero from ${place.join(" to ")}: erased or ` +
        "overwritten; no passphrase can open it";
      const right = wrong.map((args) => args.map((word) => word === "bad" ? "one" : word));
      for (const args of [...right, ["judge", "file"], ["inspect", "file"]]) {
        assertStringIncludes((await said(...args)).toLowerCase(), expected, args.join(" "));
      }
      const { stdout } = await diskproof(directory, ["judge", "file"]);
      const { spec, findings } = JSON.parse(stdout);
      assertEquals([spec.verdict, findings[0].rule], ["valid", RULE[type]]);
    },
  );
}

liveTest(
  { needs: ["cryptsetup", "qemu-img"] },
  "key material that the tools write is never reported as damaged",
  async (directory) => {
    const path = `${directory}/file`;
    Deno.writeTextFileSync(`${directory}/one`, "one");
    const kinds = [
      ["luks1", "aes-xts-plain64", "512"],
      ["luks1", "aes-cbc-essiv:sha256", "128"],
      ["luks1", "camellia-cbc-plain64", "256"],
      ["luks2", "aes-xts-plain64", "512"],
      ["luks2", "aes-cbc-benbi", "256"],
      ["luks2", "aes-ctr-plain64", "128"],
    ] as const;
    for (const [type, cipher, bits] of kinds) {
      for (let time = 0; time < 4; time++) {
        Deno.writeFileSync(path, new Uint8Array(0));
        Deno.truncateSync(path, 20 * 2 ** 20);
        await succeed([
          ...["cryptsetup", "luksFormat", "-q", "--type", type, ...QUICK],
          ...["--cipher", cipher, "--key-size", bits, path, `${directory}/one`],
        ]);
        await succeed([
          ...["cryptsetup", "luksAddKey", "-q", ...QUICK, "--key-file", `${directory}/one`],
          ...[path, `${directory}/one`],
        ]);
        const { stdout } = await diskproof(directory, ["judge", "file"]);
        assert(!stdout.includes("random"), `${type} ${cipher}: ${stdout}`);
      }
    }
    const secret = ["--object", `secret,id=s,file=${directory}/one`];
    const options = "encrypt.format=luks,encrypt.iter-time=10,encrypt.key-secret=s";
    const create = ["qemu-img", "create", "-q", "-f", "qcow2", ...secret, "-o", options];
    await measured([...create, path, "1M"]);
    const { stdout } = await diskproof(directory, ["judge", "file"]);
    assert(!stdout.includes("random"), stdout);
  },
);
