import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { CODE, ROOT, sourceFiles } from "../house/source_files.ts";
import { withDirectory } from "./files.ts";

/** Runs Deno without any permission. */
async function denied(...args: readonly string[]): Promise<Deno.CommandOutput> {
  const options = ["run", "--quiet", "--no-prompt", `--config=${ROOT}/deno.json`];
  return await new Deno.Command("deno", { args: [...options, ...args] }).output();
}

Deno.test("importing any module reads no file, starts no tool and prints nothing", () =>
  withDirectory(async (directory) => {
    const files = sourceFiles(...CODE).map(({ path }) => path)
      // Declarations, and what is a program of its own.
      .filter((path) => !path.endsWith(".d.ts") && !path.startsWith("scripts/npm"))
      .filter((path) =>
        !/^(scripts\/(docs|jazzer|npm)|fuzz\/cli\/(worker|thread|process)|fuzz\/jazzer\/mutator)\.ts$/
          .test(path)
      );
    const imports = files.map((path) => `import "${new URL(path, `file://${ROOT}/`)}";`);
    Deno.writeTextFileSync(`${directory}/all.ts`, imports.join("\n"));
    const { code, stdout, stderr } = await denied(`${directory}/all.ts`);
    assertEquals([code, new TextDecoder().decode(stderr), stdout.length], [0, "", 0]);
  }));

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { isDynamic?: boolean; code?: { specifier?: string } }[];
}

Deno.test("the program starts without loading a format", async () => {
  const { stdout } = await new Deno.Command("deno", {
    args: ["info", "--json", `--config=${ROOT}/deno.json`, `${ROOT}/scripts/diskproof.ts`],
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly roots: readonly string[];
    readonly modules: readonly Module[];
  };
  const loaded = new Set(roots);
  for (const specifier of loaded) {
    const { dependencies = [] } = modules.find((it) => it.specifier === specifier) ?? {};
    for (const { isDynamic, code } of dependencies) {
      if (isDynamic !== true && code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  const names = [...loaded].map((specifier) => specifier.split("/src/").at(-1));
  assertEquals(names.includes("cli/main.ts"), true);
  assertEquals(names.includes("formats.ts"), false);
});

/** Prints the exit status of the help of each verb after the help. */
const HELP_OF_EACH = `
  import { main } from "${new URL("src/cli/main.ts", `file://${ROOT}/`)}";
  import { verbs } from "${new URL("scripts/diskproof.ts", `file://${ROOT}/`)}";
  for (const name of Deno.args) console.log(name + " -h: " + await main([name, "-h"], verbs));
`;

Deno.test("--help and --version need no permission, for no verb", () =>
  withDirectory(async (directory) => {
    const { stdout } = await denied(`${ROOT}/scripts/diskproof.ts`, "--help");
    const text = new TextDecoder().decode(stdout);
    const names = [...text.matchAll(/^ {2}(\w+) {2}/gm)].map(([, name]) => name as string);
    assertEquals(names.includes("golden") && names.includes("generate"), true);
    Deno.writeTextFileSync(`${directory}/help.ts`, HELP_OF_EACH);
    const help = await denied(`${directory}/help.ts`, ...names);
    assertEquals(new TextDecoder().decode(help.stderr), "");
    const printed = new TextDecoder().decode(help.stdout);
    for (const name of names) assertStringIncludes(printed, `\n${name} -h: 0\n`);
    const version = await denied(`${ROOT}/scripts/diskproof.ts`, "--version");
    assertEquals(new TextDecoder().decode(version.stdout), `diskproof ${config.version}\n`);
  }));
