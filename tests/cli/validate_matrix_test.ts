import { assertEquals, assertStringIncludes } from "@std/assert";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Volumes of CAST5 in one mode and with one IV generator, and hashes of the family of SHA. */
const ONLY = ["--only", "matrix-cast5-16-ecb-essiv-md5-sha"];

Deno.test("validate also queries the volumes in archives", async () => {
  const { status, stdout, stderr } = await diskproof(ROOT, ["validate", "reference", ...ONLY]);
  assertEquals([status, stderr], [0, ""]);
  assertStringIncludes(stdout, "over 5 recorded images");
});

Deno.test("validate reads archives from a given directory", () =>
  withDirectory(async (directory) => {
    Deno.copyFileSync(`${ROOT}/corpus/matrix/cast5-ecb.tar.gz`, `${directory}/some.tar.gz`);
    const given = ["validate", "reference", "--golden", "."];
    const { status, stdout } = await diskproof(directory, [...given, ...ONLY]);
    assertEquals(status, 0);
    assertStringIncludes(stdout, "over 5 recorded images");
    const other = await diskproof(directory, [...given, "--only", "matrix-aes"]);
    assertEquals(other.status, 2);
    Deno.writeTextFileSync(`${directory}/some.tar.gz`, "no archive");
    const broken = await diskproof(directory, given);
    assertEquals([broken.status, broken.stdout], [3, ""]);
    assertStringIncludes(broken.stderr, "Cannot use ./some.tar.gz");
  }));
