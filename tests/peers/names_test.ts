import { assertEquals } from "@std/assert";
import { jsonName, optionValue, toolPath } from "../../src/peers/qemu_img/names.ts";

Deno.test("toolPath() hides a colon from QEMU and leaves other names alone", () => {
  assertEquals(toolPath("a:b"), "./a:b");
  assertEquals(toolPath('json:{"driver":"raw"}'), './json:{"driver":"raw"}');
  assertEquals(toolPath("a/b:c"), "a/b:c");
  assertEquals(toolPath("/a:b"), "/a:b");
  assertEquals(toolPath("-f"), "-f");
});

Deno.test("optionValue() writes each comma twice", () => {
  assertEquals(optionValue("a,b,,c"), "a,,b,,,,c");
});

Deno.test("jsonName() contains no white space and only ASCII", () => {
  const name = jsonName({ driver: "raw", "file.filename": 'a b\tü\u{1f4be}\\"' });
  assertEquals(/^[\x21-\x7e]+$/.test(name), true);
  assertEquals(JSON.parse(name.slice("json:".length)), {
    driver: "raw",
    "file.filename": 'a b\tü\u{1f4be}\\"',
  });
});
