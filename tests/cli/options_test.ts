import { assertEquals, assertThrows } from "@std/assert";
import { nearest } from "../../src/cli/nearest.ts";
import { parseOptions, wholeNumber } from "../../src/cli/options.ts";
import { UsageError } from "../../src/cli/verb.ts";

const names = { flags: ["json"], values: ["time", "runs"], lists: ["target"] };

Deno.test("parseOptions() accepts flags, values, lists and positional arguments", () => {
  const options = parseOptions(
    ["one", "--json", "--time=5s", "--target", "a", "two", "--target", "b", "123"],
    names,
  );
  assertEquals(options.positional, ["one", "two", "123"]);
  assertEquals(options.flag("json"), true);
  assertEquals(options.value("time"), "5s");
  assertEquals(options.list("target"), ["a", "b"]);
});

Deno.test("parseOptions() returns nothing for absent options", () => {
  const options = parseOptions([], names);
  assertEquals(options.positional, []);
  assertEquals(options.flag("json"), false);
  assertEquals(options.value("time"), undefined);
  assertEquals(options.list("target"), []);
});

Deno.test("parseOptions() leaves everything after two dashes unchanged", () => {
  assertEquals(parseOptions(["--", "--json", "7"], names).positional, ["--json", "7"]);
});

Deno.test("parseOptions() suggests the nearest option for an unknown one", () => {
  const refused = (argument: string, message: string) => {
    const error = assertThrows(() => parseOptions([argument, "5"], names), UsageError);
    assertEquals(error.message, message);
  };
  refused("--tme", "unknown option --tme (did you mean --time?)");
  refused("--targets=a", "unknown option --targets (did you mean --target?)");
  refused("--frobnicate", "unknown option --frobnicate");
  refused("-x", "unknown option -x");
});

Deno.test("parseOptions() rejects an option that lacks its value", () => {
  for (const args of [["--time"], ["--time="], ["--time", "--json"], ["--target"]]) {
    assertThrows(() => parseOptions(args, names), UsageError, "needs a value");
  }
});

Deno.test("wholeNumber() accepts both ends of its range and nothing outside it", () => {
  const read = (text: string) =>
    wholeNumber(parseOptions([`--runs=${text}`], names), "runs", { min: 1, max: 9 });
  assertEquals([read("1"), read("9")], [1, 9]);
  for (const text of ["0", "10", "1.5", "x", "0x1"]) {
    assertThrows(() => read(text), UsageError, "--runs must be a whole number from 1 to 9");
  }
});

Deno.test("nearest() finds a word with a letter added, missing or swapped, and no unrelated one", () => {
  const words = ["time", "timeout", "target"];
  assertEquals(nearest("tim", words), "time");
  assertEquals(nearest("timeot", words), "timeout");
  assertEquals(nearest("tarket", words), "target");
  assertEquals(nearest("seed", words), undefined);
});
