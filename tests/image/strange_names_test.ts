import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { isUtf8Name, nameBytes, nameOf, shownName } from "../../src/format/mod.ts";
import { judgeImage, openImage } from "../../src/image/mod.ts";
import { runTool } from "../../src/peers/mod.ts";
import * as fc from "fast-check";
import { withDirectory } from "../cli/files.ts";
import { diskproof } from "../cli/program.ts";
import { liveTest, QEMU } from "../live.ts";
import { make } from "../peers/tools.ts";
import { overlayBytes } from "./overlays.ts";

const LATIN1 = Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x2e, 0x72, 0x61, 0x77);
/** As Deno decodes it. */
const DECODED = "caf\ufffd.raw";

/** An overlay whose backing file name is that of Latin-1. */
function overlay(): Uint8Array {
  const bytes = overlayBytes({ backing: { name: "cafe.raw", format: "raw" } });
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("cafe.raw");
  bytes.set(LATIN1, at);
  return bytes;
}

Deno.test("a name that is not UTF-8 loses none of its bytes, and is shown with escapes", () => {
  assertEquals(shownName(nameOf(LATIN1)), "caf\\xe9.raw");
  assertEquals(isUtf8Name(nameOf(LATIN1)), false);
  for (const text of ["", "a", "\u00e9", "\ufeffx", "\u20ac", "\u{1f600}", "\ufffd"]) {
    const stored = new TextEncoder().encode(text);
    assertEquals([nameOf(stored), isUtf8Name(nameOf(stored))], [text, true]);
  }
  // Cut short, overlong, a surrogate, beyond the last character.
  for (const bytes of [[0xe2, 0x82], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    const escapes = bytes.map((byte) => `\\x${byte.toString(16)}`).join("");
    assertEquals(shownName(nameOf(Uint8Array.from(bytes))), escapes);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (stored) => {
    const nul = stored.indexOf(0);
    assertEquals(nameBytes(nameOf(stored)), nul < 0 ? stored : stored.slice(0, nul));
  }));
});

function judged(directory: string) {
  const image = openImage("overlay", { directory });
  try {
    return judgeImage(image);
  } finally {
    image.close();
  }
}

Deno.test("a backing file whose name is not UTF-8 is missing if no file has that name", () =>
  withDirectory((directory) => {
    Deno.writeFileSync(`${directory}/overlay`, overlay());
    const { qemu, findings } = judged(directory);
    assertEquals([qemu.open, findings[0]?.rule], ["reject", "blk.backing.opens"]);
    assertStringIncludes(findings[0]?.message ?? "", "'caf\\xe9.raw'");
    return Promise.resolve();
  }));

Deno.test("a file whose name looks like one that is not UTF-8 is not opened in its place", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/overlay`, overlay());
    Deno.writeFileSync(`${directory}/${DECODED}`, new Uint8Array(4096).fill(7));
    const { qemu, findings } = judged(directory);
    assertEquals([qemu.open, qemu.read], ["unknown", "unknown"]);
    assertEquals(findings.map(({ rule }) => rule), ["blk.backing.not-followed"]);
    const { status, stderr } = await diskproof(directory, ["digest", "overlay"]);
    assertEquals(status, 1);
    assertStringIncludes(
      stderr,
      "'caf\\xe9.raw' is not opened: no file can be opened here by a name",
    );
    for (const verb of ["info", "inspect"]) {
      assertStringIncludes((await diskproof(directory, [verb, "overlay"])).stdout, "caf\\xe9.raw");
    }
  }));

liveTest(
  { needs: QEMU },
  "qemu-img opens a backing file whose name is not UTF-8, and prints it as info --json does",
  async (directory) => {
    Deno.writeFileSync(`${directory}/overlay`, overlay());
    const missing = await runTool(["qemu-io", "-r", "-c", "quit", "overlay"], { directory });
    assert(missing.end.kind === "exited" && missing.end.code !== 0, missing.stderr);
    await make(directory, "/bin/sh", "-c", `printf x > "$(printf 'caf\\351.raw')"`);
    await make(directory, "qemu-io", "-r", "-c", "quit", "overlay");
    assertEquals(judged(directory).qemu.open, "unknown");
    const theirs = await runTool(["qemu-img", "info", "--output=json", "overlay"], { directory });
    const ours = await diskproof(directory, ["info", "--json", "overlay"]);
    const names = ({ stdout }: { stdout: string }) => {
      const info = JSON.parse(stdout);
      return [info["backing-filename"], info["full-backing-filename"]];
    };
    assertEquals(names(ours), names(theirs));
  },
);
