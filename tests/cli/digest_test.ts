import { assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { patternBytes } from "../../src/format/mod.ts";
import { buildLuks1 } from "../../src/luks1/mod.ts";
import { modelOf, sourceOf } from "../luks1/volumes.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("digest prints the digests of several images in their order, and goes on after a failure", () =>
  withDirectory(async (directory) => {
    // The first one takes longest.
    const sizes = [40_000_000, 4096, 512, 3_000_320];
    const lines = sizes.map((size, index) => {
      const bytes = patternBytes({ kind: "noise", seed: index }, size);
      Deno.writeFileSync(`${directory}/${index}`, bytes);
      return `${sha256(bytes)}  ${index}\n`;
    });
    const run = await diskproof(directory, ["digest", "-f", "raw", "0", "1", "no", "2", "3", "1"]);
    assertEquals(run.stdout, [...lines, lines[1]].join(""));
    assertEquals(run.stderr, "diskproof: Cannot open no: there is no such file\n");
    assertEquals(run.status, 2);
  }));

Deno.test("digest opens several encrypted images with a passphrase from standard input", () =>
  withDirectory(async (directory) => {
    const source = sourceOf(buildLuks1(modelOf()).image);
    for (const name of ["a", "b"]) {
      Deno.writeFileSync(`${directory}/${name}`, source.read(0, source.size));
    }
    const content = sha256(patternBytes({ kind: "text", seed: 1 }, 4096));
    const args = ["digest", "--passphrase-file", "-", "a", "b"];
    const right = await diskproof(directory, args, "first");
    assertEquals(right, { status: 0, stdout: `${content}  a\n${content}  b\n`, stderr: "" });
    const wrong = await diskproof(directory, args, "other");
    assertEquals([wrong.status, wrong.stdout], [2, ""]);
  }));

Deno.test("digest --progress prints size, rate and the time left", () =>
  withDirectory(async (directory) => {
    Deno.writeFileSync(`${directory}/disk`, new Uint8Array(1));
    Deno.truncateSync(`${directory}/disk`, 40 * 2 ** 30);
    const child = new Deno.Command("deno", {
      args: ["task", "-q", "diskproof", "digest", "--progress", `${directory}/disk`],
      stderr: "piped",
      stdout: "null",
    }).spawn();
    const reader = child.stderr.getReader();
    const { value = new Uint8Array() } = await reader.read();
    child.kill();
    await reader.cancel();
    await child.status;
    assertMatch(
      new TextDecoder().decode(value),
      /^[\d.]+ [KMG]iB of 40 GiB {2}[\d.]+ [KMG]iB\/s {2}\d+ (s|min|h \d+ min) left\n$/,
    );
  }));

Deno.test("judge --digest hashes content up to --digest-max, and says why it does not", () =>
  withDirectory(async (directory) => {
    const bytes = patternBytes({ kind: "noise", seed: 1 }, 4096);
    Deno.writeFileSync(`${directory}/disk`, bytes);
    const judge = async (...args: string[]): Promise<unknown[]> => {
      const run = await diskproof(directory, ["judge", "--digest", "disk", ...args]);
      assertEquals([run.status, run.stderr], [0, ""]);
      const judged = JSON.parse(run.stdout);
      return [judged["digest"], judged["digest-reason"]];
    };
    assertEquals(await judge("--digest-max", "4096"), [sha256(bytes), undefined]);
    const reason = "The content has 4096 bytes, more than the limit of 4095 (--digest-max)";
    assertEquals(await judge("--digest-max", "4095"), [null, reason]);
    // The limit has a default, and does not wait for 2^44 bytes of zeros.
    Deno.truncateSync(`${directory}/disk`, 2 ** 43);
    const [digest, why] = await judge();
    assertEquals(digest, null);
    assertMatch(
      `${why}`,
      /^The content has 8796093022208 bytes, more than the limit of 17179869184/,
    );
    Deno.writeFileSync(`${directory}/disk`, Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 9));
    assertEquals((await judge())[0], null);
    assertMatch(`${(await judge())[1]}`, /version/);
  }));
