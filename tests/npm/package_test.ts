/** The npm package, as a user of Node has it. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "../../src/peers/mod.ts";
import { readRecord, unpackRecord } from "../../src/recorded/mod.ts";
import { alsoProbe, liveTest } from "../live.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const GOLDEN = join(ROOT, "golden/images");
/** It has data, zeros and compressed clusters. */
const IMAGE = "qcow2-cluster-128k";

const PROGRAM = `
import { digestOf, infoOf, judgeImage, layersOf, openImage } from "@diskproof/diskproof";
import { catalogue } from "@diskproof/diskproof/rules";
import { qcow2Structures } from "@diskproof/diskproof/formats/qcow2";

const image = openImage("disk");
const { qemu, spec } = judgeImage(image);
const { length } = qcow2Structures.filter(() => catalogue.length > 0);
console.log(JSON.stringify({ qemu, spec, info: infoOf(image), digest: digestOf(layersOf(image)), length }));
`;

/** Runs a command that must succeed, and returns its output. */
async function output(directory: string, ...command: readonly string[]): Promise<string> {
  const result = await runTool(command, {
    directory,
    timeoutMs: 120_000,
    inheritEnvironment: true,
  });
  assertEquals(result.end, { kind: "exited", code: 0 }, result.stderr);
  return result.stdout;
}

/** Installs the dependencies as `npm install` does. They are in Deno's cache. */
async function copyDependencies(directory: string, names: Record<string, string>): Promise<void> {
  const { npmCache } = JSON.parse(await output(directory, "deno", "info", "--json"));
  const registries = [...Deno.readDirSync(npmCache)].map(({ name }) => join(npmCache, name));
  for (const [name, version] of Object.entries(names)) {
    const found = registries.map((registry) => join(registry, name, version)).find(isThere);
    if (found === undefined) continue;
    cpSync(found, join(directory, "node_modules", name), { recursive: true });
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

await alsoProbe("node", "npm");

liveTest(
  { needs: ["node 20.16", "npm", "tar"] },
  "the npm package reads a golden image",
  async (folder) => {
    const permissions = ["--allow-read", `--allow-write=${folder}`, "--allow-env"];
    const script = join(ROOT, "scripts/npm.ts");
    const config = ["--config", join(ROOT, "deno.json"), "--no-prompt", "--quiet"];
    await output(folder, "deno", "run", ...config, ...permissions, script, join(folder, "built"));
    const packing = ["pack", "--silent", "--offline", "--cache", join(folder, "cache")];
    const archive = (await output(folder, "npm", ...packing, "./built")).trim();
    const installed = join(folder, "node_modules/@diskproof/diskproof");
    mkdirSync(installed, { recursive: true });
    await output(folder, "tar", "-xzf", archive, "--strip-components=1", "-C", installed);
    const manifest = JSON.parse(Deno.readTextFileSync(join(installed, "package.json")));
    await copyDependencies(folder, manifest.dependencies);

    const record = readRecord(GOLDEN, IMAGE);
    unpackRecord(GOLDEN, record, folder);
    const [recorded] = Object.values(record.answers ?? {});
    writeFileSync(join(folder, "program.mjs"), PROGRAM);
    const library = JSON.parse(await output(folder, "node", "program.mjs"));
    assertEquals(library.spec, { verdict: "valid" });
    assertEquals([library.qemu.open, library.qemu.read], ["accept", "ok"]);
    const bin = join(installed, manifest.bin.diskproof);
    const printed = JSON.parse(await output(folder, "node", bin, "info", "--json", "disk"));
    const { json } = recorded?.info as { json: Record<string, unknown> };
    for (
      const name of ["virtual-size", "format", "cluster-size", "format-specific", "dirty-flag"]
    ) {
      assertEquals([library.info[name], printed[name]], [json[name], json[name]], name);
    }
    const { sha256 } = recorded?.digest as { sha256: string };
    assertEquals(library.digest, sha256);
    assertEquals(await output(folder, "node", bin, "digest", "disk"), `${sha256}  disk\n`);

    for (const args of [["convert", "disk", "raw"], ["fuzz"]]) {
      const { end, stderr } = await runTool(["node", bin, ...args], { directory: folder });
      assertEquals(end, { kind: "exited", code: 2 });
      assertStringIncludes(stderr, `the verb '${args[0]}' requires Deno`);
    }
  },
);
