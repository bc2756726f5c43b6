import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { runTool } from "../../src/peers/mod.ts";
import { liveTest } from "../live.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

interface Generated {
  readonly name: string;
  readonly features: readonly string[];
  readonly subject: string;
  readonly format?: string;
  readonly header?: string;
  readonly passphrases?: readonly string[];
  readonly changes: readonly string[];
  readonly files: readonly { name: string; size: number; sha256: string }[];
  readonly answers: object;
  readonly model: object;
  readonly edits: readonly object[];
}

/** The manifest of a folder. */
function manifestOf(folder: string): Generated[] {
  const text = Deno.readTextFileSync(`${folder}/manifest.jsonl`);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("generate writes images of every format that match its manifest, and the same ones again", () =>
  withDirectory(async (directory) => {
    const args = ["--count", "33", "--seed", "7"];
    const first = await diskproof(directory, ["generate", "--out", "one", ...args]);
    assertEquals([first.status, first.stderr], [0, ""]);
    assertMatch(first.stdout, /^33 images in one: .* \(seed 7\)\n$/);
    await diskproof(directory, ["generate", "--out", "two", ...args]);
    const records = manifestOf(`${directory}/one`);
    assertEquals(records, manifestOf(`${directory}/two`));
    assertEquals(records.length, 33);
    const sorts = new Set(records.map(({ features }) => features.join(" ")));
    const formats = ["qcow", "qcow2", "luks", "luks2", "chain"];
    const expected = ["raw", ...formats].map((format) => `${format} valid`)
      .concat(formats.map((format) => `${format} malformed`));
    assertEquals([...sorts].sort(), expected.sort());
    for (const { name, files, answers, edits, changes } of records) {
      assertEquals([answers, changes.length], [{}, edits.length], name);
      for (const { name: file, size, sha256 } of files) {
        const bytes = Deno.readFileSync(`${directory}/one/${name}/${file}`);
        assertEquals(bytes, Deno.readFileSync(`${directory}/two/${name}/${file}`));
        assertEquals([bytes.length, createHash("sha256").update(bytes).digest("hex")], [
          size,
          sha256,
        ]);
      }
    }
    await diskproof(directory, ["generate", "--out", "three", "--count", "33", "--seed", "8"]);
    assert(JSON.stringify(manifestOf(`${directory}/three`)) !== JSON.stringify(records));
  }));

Deno.test("judge finds the images valid or not, as generate says, with their passphrases", () =>
  withDirectory(async (directory) => {
    await diskproof(directory, ["generate", "--out", "out", "--count", "22", "--seed", "3"]);
    for (const record of manifestOf(`${directory}/out`)) {
      const folder = `${directory}/out/${record.name}`;
      const { subject, header, passphrases = [] } = record;
      const keys = passphrases.flatMap((text, index) => {
        Deno.writeTextFileSync(`${folder}/${index}.key`, text);
        return ["--passphrase-file", `${index}.key`];
      });
      const detached = header === undefined ? [] : ["--header", header];
      // An edited image may have another magic number.
      const format = record.format === undefined ? [] : ["-f", record.format];
      const args = [...format, ...keys, ...detached, subject];
      const { stdout } = await diskproof(folder, ["judge", ...args]);
      const valid = JSON.parse(stdout).spec.verdict === "valid";
      assertEquals(valid, record.features[1] === "valid", `${record.name}: ${stdout}`);
    }
  }));

liveTest(
  { needs: ["qemu-img"] },
  "qemu-img opens every valid qcow2 image that generate writes",
  async (directory) => {
    const args = ["--format", "qcow2", "--valid", "--count", "20"];
    const run = await diskproof(directory, ["generate", "--out", "out", ...args]);
    assertEquals(run.stdout, "20 images in out: 20 qcow2 (seed 0)\n");
    for (const { name, subject, features, edits } of manifestOf(`${directory}/out`)) {
      assertEquals([features, edits], [["qcow2", "valid"], []]);
      const command = ["qemu-img", "info", "-f", "qcow2", `out/${name}/${subject}`];
      const { end, stderr } = await runTool(command, { directory });
      assertEquals([end, stderr], [{ kind: "exited", code: 0 }, ""], name);
    }
  },
);

Deno.test("generate does not touch a folder that is not empty, unless --force is given", () =>
  withDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/mine`, "");
    const args = ["generate", "--out", ".", "--count", "1"];
    const refused = await diskproof(directory, args);
    assertEquals([refused.status, refused.stdout], [2, ""]);
    assertStringIncludes(refused.stderr, "the folder is not empty (--force writes to it)");
    assertEquals([...Deno.readDirSync(directory)].length, 1);
    assertEquals((await diskproof(directory, [...args, "--force"])).status, 0);
    assertEquals(Deno.readTextFileSync(`${directory}/mine`), "");
  }));

Deno.test("generate reports errors in one line", () =>
  withDirectory(async (directory) => {
    const refused: [string[], string][] = [
      [[], "name a folder with --out (see --help)"],
      [["--out", "x", "y"], "unexpected argument 'y'"],
      [["--out", "x", "--valid", "--malformed"], "--valid and --malformed cannot be combined"],
      [["--out", "x", "--format", "raw", "--malformed"], "raw images cannot be malformed"],
      [
        ["--out", "x", "--format", "vdi"],
        "unsupported format 'vdi' (supported: raw, qcow, qcow2, luks, luks2, chain)",
      ],
      [["--out", "x", "--count", "0"], "--count must be a whole number from 1 to 100000, not '0'"],
    ];
    for (const [args, reason] of refused) {
      const { status, stdout, stderr } = await diskproof(directory, ["generate", ...args]);
      assertEquals([status, stdout, stderr], [2, "", `diskproof: ${reason}\n`]);
    }
    assertEquals([...Deno.readDirSync(directory)], []);
  }));
