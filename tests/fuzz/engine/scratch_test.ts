import { assertEquals, assertThrows } from "@std/assert";
import { Scratch } from "../../../fuzz/engine/scratch.ts";
import { HarnessError } from "../../../fuzz/engine/target.ts";

Deno.test("Scratch is not the fault of a case when it cannot be written to", () => {
  const directory = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    const scratch = new Scratch(`${directory}/case`, {});
    scratch.requireRoom();
    assertEquals([...Deno.readDirSync(directory)], []);
    Deno.writeTextFileSync(`${scratch.directory}/image`, "x");
    scratch.requireRoom();
    assertEquals([...Deno.readDirSync(scratch.directory)].map(({ name }) => name), ["image"]);
    Deno.removeSync(scratch.directory, { recursive: true });
    Deno.writeTextFileSync(`${directory}/case`, "no folder any more");
    assertThrows(() => scratch.requireRoom(), HarnessError, `Cannot write to ${directory}/case: `);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
