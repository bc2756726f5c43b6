/** Exports of the corpus: their JSON, their bytes, and the examples of test loops. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import Ajv from "ajv/dist/2020.js";
import { createHash } from "node:crypto";
import { exportCorpus } from "../../corpus/build/export/export.ts";
import { exportedCase } from "../../corpus/build/export/case.ts";
import { caseImages } from "../../corpus/build/images.ts";
import { recordedCases } from "../../corpus/build/export/tree.ts";
import { runTool, withScratch } from "../../src/peers/mod.ts";
import { isInstalled, skip } from "../installed.ts";
import { liveTest } from "../live.ts";

/** Images of qcow2 version 2 and raw ones, a small part. */
const FEW = ["--features", "raw,qcow2.v2,backing"];
/** Of a file that occupies less than that, most are holes. */
const SPARSE = 2;
const FLAGS = new URL("../../corpus/flags.json", import.meta.url);

const schemas = new Ajv.default({
  strict: true,
  strictRequired: false,
  strictTypes: false,
  allErrors: true,
});
const validators = Object.fromEntries(
  ["case", "flags", "manifest", "record"].map((name) => [
    name,
    schemas.compile(JSON.parse(
      Deno.readTextFileSync(new URL(`../../corpus/schema/${name}.schema.json`, import.meta.url)),
    )),
  ]),
);

function problemsOf(schema: string, value: unknown): string[] {
  const validate = validators[schema];
  if (validate === undefined) return ["no schema"];
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** Every file below a directory, with its SHA-256. */
function digests(directory: string, under = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(`${directory}/${under}`)) {
    const path = `${under}${name}`;
    if (isDirectory) {
      for (const [key, value] of digests(directory, `${path}/`)) found.set(key, value);
    } else found.set(path, sha256(Deno.readFileSync(`${directory}/${path}`)));
  }
  return found;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("every record, case and the flags have the published shape, and ids are unique", () => {
  const sources = new Map(caseImages().map((image) => [image.name, image]));
  const cases = recordedCases().map(({ name, load, set }) => {
    const { record } = load();
    assertEquals(problemsOf("record", record), [], name);
    return exportedCase(record, set, sources.get(name));
  });
  for (const each of cases) assertEquals(problemsOf("case", each), [], each.id);
  const ids = cases.flatMap(({ id, aliases }) => [id, ...aliases]);
  assertEquals(new Set(ids).size, ids.length);
  assertEquals(problemsOf("flags", JSON.parse(Deno.readTextFileSync(FLAGS))), []);
});

Deno.test("the schemas reject what has another shape", () => {
  const flag = { bug: "b", effect: "e" };
  assertEquals(problemsOf("flags", { flags: { "a-b": flag } }), []);
  assertMatch(problemsOf("flags", { flags: { a: { ...flag, cve: [] } } }).join(), /additional/);
  assertMatch(problemsOf("flags", { flags: { a: { ...flag, cves: ["1"] } } }).join(), /pattern/);
  assertMatch(problemsOf("case", { id: "a" }).join(), /required property 'expect'/);
});

Deno.test("an export is the same every time, complete, and has holes", async () => {
  await withScratch((scratch) => {
    for (const name of ["one", "two"]) {
      exportCorpus([...FEW, `${scratch}/${name}`]);
    }
    const files = digests(`${scratch}/one`);
    assertEquals(digests(`${scratch}/two`), files);
    const manifest = JSON.parse(Deno.readTextFileSync(`${scratch}/one/manifest.json`));
    assertEquals(problemsOf("manifest", manifest), []);
    let blocks = 0;
    let size = 0;
    for (const { id, path, sha256: listed } of manifest.cases) {
      assertEquals(files.get(path), listed, id);
      const each = JSON.parse(Deno.readTextFileSync(`${scratch}/one/${path}`));
      for (const file of each.files) {
        assertEquals(files.get(file.path), file.sha256, file.path);
        const info = Deno.statSync(`${scratch}/one/${file.path}`);
        blocks += (info.blocks ?? 0) * 512;
        size += info.size;
      }
    }
    assert(manifest.cases.length > 20);
    assert(blocks * SPARSE < size, `${blocks} of ${size} bytes are stored`);
    return Promise.resolve();
  });
});

liveTest({ needs: ["tar"] }, "an archive unpacks to the exported directory", async (scratch) => {
  for (const name of ["one", "two"]) {
    exportCorpus([...FEW, "--format", "tar", `${scratch}/${name}`]);
  }
  exportCorpus([...FEW, `${scratch}/dir`]);
  const [archive] = [...digests(`${scratch}/one`)];
  assertEquals([...digests(`${scratch}/two`)], [archive]);
  const unpack = ["tar", "-xzf", `one/${archive?.[0]}`];
  const { end, stderr } = await runTool(unpack, { directory: scratch });
  assertEquals([end, stderr], [{ kind: "exited", code: 0 }, ""]);
  assertEquals(digests(`${scratch}/diskproof-corpus`), digests(`${scratch}/dir`));
});

/** How an example of a test loop is run, in an export. */
const RUNNERS: Readonly<Record<string, string>> = {
  python3: "python3 runners/run.py --format",
  go: "GOTOOLCHAIN=local go run runners/run.go -format",
};

for (const [program, command] of Object.entries(RUNNERS)) {
  Deno.test(
    `the runner in ${program} prints which sentence a reader breaks, and passes a right one`,
    async () => {
      if (!await isInstalled(program)) return skip(`${program} is not installed`);
      await withScratch(async (scratch) => {
        exportCorpus([...FEW, `${scratch}/export`]);
        // cat is a right reader of raw images, and a wrong one of qcow2.
        const run = async (format: string) => {
          const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
            args: ["-c", `${command} ${format} . cat {image}`],
            cwd: `${scratch}/export`,
          }).output();
          const decoder = new TextDecoder();
          return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
        };
        const right = await run("raw");
        assertEquals(right.code, 0, right.stderr);
        assertMatch(right.stdout, /^[1-9]\d* passed, 0 failed/);
        const wrong = await run("qcow2");
        assertEquals(wrong.code, 1, wrong.stderr);
        assertMatch(wrong.stdout, /^qcow2\.header\.version-2-keeps: wrong content: /m);
        assertMatch(wrong.stdout, /^ {4}The version is 2 or 3\. \(qcow2\.txt, Header\)$/m);
      });
    },
  );
}

Deno.test("the runners have fewer than 100 lines", () => {
  for (const name of ["run.py", "run.go"]) {
    const path = new URL(`../../corpus/export/${name}`, import.meta.url);
    assert(Deno.readTextFileSync(path).split("\n").length <= 100, name);
  }
});
