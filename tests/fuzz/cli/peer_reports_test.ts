/** The reports of `fuzz --peer`. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withDirectory } from "../../cli/files.ts";
import { diskproof } from "../../cli/program.ts";

const ADAPTER = `export default {
  hello: () => ({ ok: { name: "mine", version: "1", formats: ["qcow2"], operations: ["probe"] } }),
  probe: () => ({ rejected: "no" }),
};
`;

Deno.test("fuzz --peer writes the reports that validate writes", () =>
  withDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/adapter.js`, ADAPTER);
    const { status, stderr } = await diskproof(directory, [
      ...["fuzz", "--peer", `module:${directory}/adapter.js`, "--runs", "8", "--seed", "1"],
      ...["--shrink-time", "1s", "--time", "20s"],
      ...["--out", `${directory}/findings`, "--artifacts", `${directory}/artifacts`],
      ...["--report", `sarif=${directory}/sarif`, "--report", `html=${directory}/html`],
    ]);
    assertEquals(status, 1, stderr);
    const { runs: [run] } = JSON.parse(Deno.readTextFileSync(`${directory}/sarif`));
    const slugs: string[] = run.results.map(({ ruleId }: { ruleId: string }) => ruleId);
    assert(slugs.some((slug) => slug.startsWith("refuses-valid-")), slugs.join());
    for (const slug of slugs) assert(Deno.statSync(`${directory}/findings/${slug}`).isDirectory);
    assertStringIncludes(Deno.readTextFileSync(`${directory}/html`), "Conformance of mine 1");
  }));

Deno.test("fuzz writes a report about peers alone", () =>
  withDirectory(async (directory) => {
    const { status, stderr } = await diskproof(directory, [
      "fuzz",
      "--report",
      "html=x",
      "--runs=1",
    ]);
    assertEquals([status, stderr], [2, "diskproof: --report needs --peer\n"]);
  }));

Deno.test("a failure of a change is a finding with a folder and a script of the changes", () =>
  withDirectory(async (directory) => {
    const adapter = new URL("../peer/writing_adapter.ts", import.meta.url).pathname;
    const command = "deno run --quiet --no-prompt --no-check --allow-read --allow-write=/tmp";
    const { status, stdout, stderr } = await diskproof(directory, [
      ...["fuzz", "peer-write", "--peer", `jsonl:${command} ${adapter} close is a crash`],
      ...["--runs", "8", "--seed", "1", "--shrink-time", "1s", "--time", "20s"],
      ...["--out", `${directory}/findings`, "--artifacts", `${directory}/artifacts`],
    ]);
    assertEquals(status, 1, stderr + stdout);
    const slug = [...Deno.readDirSync(`${directory}/findings`)][0]?.name ?? "";
    assert(slug.startsWith("crash-"), slug);
    const read = (name: string) => Deno.readTextFileSync(`${directory}/findings/${slug}/${name}`);
    const { kind, operations, facts } = JSON.parse(read("finding.json"));
    assertEquals([kind, operations, facts.operation], ["crash", ["close"], "close"]);
    assertStringIncludes(read("README.md"), "crashes over a change of an image");
    assertStringIncludes(read("reproduce.sh"), '"operation":"flush"');
  }));
