import { assertEquals, assertStringIncludes } from "@std/assert";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";
import { PLAIN } from "./hostile_images.ts";

Deno.test("a dash as an image or an output is rejected with the reason", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/image`, PLAIN);
    // info, judge and admit read standard input: standard_input_test.ts.
    for (const verb of ["map", "digest", "inspect"]) {
      const { status, stdout, stderr } = await diskproof(directory, [verb, "-"]);
      assertEquals([status, stdout], [2, ""], verb);
      assertStringIncludes(stderr, "Cannot open -: an image is read in any order");
      assertStringIncludes(stderr, "a pipe does not allow");
    }
    const { status, stderr } = await diskproof(directory, ["convert", "image", "-"]);
    assertEquals(status, 2);
    assertStringIncludes(stderr, "Cannot write to -: images are not written to a pipe");
    Deno.renameSync(`${directory}/image`, `${directory}/-`);
    assertEquals((await diskproof(directory, ["info", "./-"])).status, 0);
  }));

Deno.test("--json and --output json print the same, wherever there is JSON", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/image`, PLAIN);
    for (const verb of ["info", "map", "check", "judge", "digest", "inspect"]) {
      const short = await diskproof(directory, [verb, "--json", "image"]);
      const long = await diskproof(directory, [verb, "--output", "json", "image"]);
      assertEquals(short, long, verb);
      JSON.parse(short.stdout);
    }
  }));

Deno.test("names from the command line reach a terminal without control characters", () =>
  withDirectory(async (directory) => {
    const name = "\x1b]0;owned\x07\x9b31m\u202e";
    Deno.writeFileSync(`${directory}/${name}`, PLAIN);
    const calls = [
      ...["info", "map", "check", "judge", "digest", "inspect"].flatMap((verb) => [
        [verb, name],
        [verb, "--json", name],
        [verb, `no${name}`],
      ]),
      ["convert", name, `no/such${name}/x`],
      ["create", `no/such${name}/x`, "1M"],
      ["info", `--format=${name}`, "x"],
      [`${name}`],
    ];
    for (const args of calls) {
      const { stdout, stderr } = await diskproof(directory, args);
      const found = (stdout + stderr).match(/[\p{Cc}\p{Bidi_Control}]/gu) ?? [];
      assertEquals(found.filter((unit) => unit !== "\n"), [], args.join(" "));
    }
  }));

Deno.test("convert and create name the folder that does not exist", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/image`, PLAIN);
    const out = `${directory}/no/such/folder/x`;
    for (const args of [["convert", "image", out], ["create", out, "1M"]]) {
      const { status, stderr } = await diskproof(directory, args);
      const reason = `the folder ${directory}/no does not exist`;
      assertEquals([status, stderr], [2, `diskproof: Cannot write to ${out}: ${reason}\n`]);
    }
  }));
