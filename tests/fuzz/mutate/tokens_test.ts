import { assert, assertEquals } from "@std/assert";
import { images } from "../../../fuzz/formats/mod.ts";
import { engineNames, tokensOf, tokenText } from "../../../fuzz/mutate/mod.ts";

const sources = images.map(({ format, edits }) => ({
  structures: format.structures,
  ...(edits?.dictionary === undefined ? {} : { dictionary: edits.dictionary }),
}));

/** The bytes of a line, read as AFL++ and libFuzzer do. */
function bytesOf(line: string): number[] {
  const [, name = "", text = ""] =
    /^([a-z0-9_]+(?:@\d+)?)="((?:[^"\\]|\\x[0-9a-f]{2})+)"$/.exec(line) ?? [];
  assert(name !== "", line);
  return [...text.matchAll(/\\x(..)|(.)/g)].map(([, hex, letter]) =>
    hex === undefined ? (letter ?? "").charCodeAt(0) : parseInt(hex, 16)
  );
}

Deno.test("a dictionary has the magics and named values of the formats, as an image stores them", () => {
  for (const engine of engineNames) {
    const lines = tokensOf(sources, engine).map((token) => tokenText(token, engine));
    const tokens = new Set(lines.map((line) => bytesOf(line).join()));
    // From the specifications: qcow2.txt, "Header" and "Header extensions"; the LUKS formats, "magic".
    for (
      const expected of [
        [0x51, 0x46, 0x49, 0xfb],
        [0, 0, 0, 3],
        [0xe2, 0x79, 0x2a, 0xca],
        [0x68, 0x03, 0xf8, 0x57],
        [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe],
        [0x53, 0x4b, 0x55, 0x4c, 0xba, 0xbe],
        [...new TextEncoder().encode("xts-plain64")],
      ]
    ) assert(tokens.has(expected.join()), `${engine}: ${expected}`);
    assertEquals(tokens.size, lines.length, "each token is there once");
    const lengths = lines.map((line) => bytesOf(line).length);
    assert(Math.min(...lengths) >= 2 && Math.max(...lengths) <= (engine === "afl" ? 128 : 64));
  }
});
