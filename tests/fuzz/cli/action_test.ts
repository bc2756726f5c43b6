import { assert, assertEquals } from "@std/assert";

const read = (path: string): string =>
  Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));
const action = read("action.yml");
const scripts = { setup: read(".github/action/setup"), run: read(".github/action/run") };

function all(text: string, pattern: RegExp): Set<string> {
  return new Set([...text.matchAll(pattern)].map(([, name = ""]) => name));
}

Deno.test("the action declares the inputs that it uses, and uses those that it declares", () => {
  const [inputs = ""] = /^inputs:\n[\s\S]*?^outputs:/m.exec(action) ?? [];
  assertEquals(all(inputs, /^ {2}([a-z-]+):/gm), all(action, /inputs\.([a-z-]+)/g));
});

Deno.test("other actions are pinned to a commit, with its version beside it", () => {
  const workflows = [...Deno.readDirSync(new URL("../../../.github/workflows", import.meta.url))];
  const files = [action, ...workflows.map(({ name }) => read(`.github/workflows/${name}`))];
  const uses = files.map((text) => [...text.matchAll(/^\s+(?:- )?uses: (.*)$/gm)]);
  assert(files.length > 1 && uses.every((of) => of.length > 0));
  for (const [, it = ""] of uses.flat()) {
    assert(/^[\w-]+(\/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(it), it);
  }
});

Deno.test("the action's scripts get inputs from the environment alone, and all that they read", () => {
  for (const [name, script] of Object.entries(scripts)) {
    assert(!script.includes("${{"), name);
    const [step = ""] =
      new RegExp(`action/${name}"\\n\\s+env:\\n(\\s+[A-Z_]+: .*\\n)+`).exec(action) ?? [];
    const set = all(step, /^\s+([A-Z_]+): /gm);
    const runner = ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP"];
    for (const used of all(script, /\$\{?([A-Z][A-Z_]+)/g)) {
      assert(set.has(used) || runner.includes(used) || used === "PIPESTATUS", `${name}: ${used}`);
    }
  }
});
