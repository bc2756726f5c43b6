import { assert, assertEquals } from "@std/assert";
import { mutants } from "../../scripts/mutants/list/mod.ts";
import { idOf, planted, ROOMS } from "../../scripts/mutants/mutant.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

Deno.test("each mutant is one place of its file, and changes it", () => {
  const contents = new Map<string, string>();
  const faults = mutants.flatMap((mutant) => {
    const { file } = mutant;
    const content = contents.get(file) ?? Deno.readTextFileSync(`${ROOT}${file}`);
    contents.set(file, content);
    try {
      return planted(mutant, content) === content ? [`${idOf(mutant)}: nothing is changed`] : [];
    } catch (error) {
      return [String(error)];
    }
  });
  assertEquals(faults, []);
});

Deno.test("mutants have names of their own, and each room has some", () => {
  const ids = mutants.map(idOf);
  assertEquals(ids.filter((id, at) => ids.indexOf(id) !== at), []);
  assert(mutants.length >= 60, `${mutants.length} mutants`);
  for (const room of ROOMS) {
    const { length } = mutants.filter((mutant) => mutant.room === room);
    assert(length >= 5, `${length} mutants in ${room}`);
  }
});
