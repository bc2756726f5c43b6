import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { type BuiltImage, patternBytes } from "../../src/format/mod.ts";
import { buildLuks1 } from "../../src/luks1/mod.ts";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import { draftImage } from "../image/draft_image.ts";
import { modelOf, sourceOf } from "../luks1/volumes.ts";
import { data, plain } from "../qcow2/built_parts.ts";
import { luks } from "../qcow2/encrypted_models.ts";
import { withDirectory } from "./files.ts";
import { diskproof, type Run } from "./program.ts";

const WRONG = "not-the-right-one";

function write(path: string, image: BuiltImage): void {
  const source = sourceOf(image);
  Deno.writeFileSync(path, source.read(0, source.size));
}

/** A volume with two keys, and an image with another one; a file for each passphrase. */
function withImages(
  test: (directory: string, run: (...args: string[]) => Promise<Run>) => Promise<void>,
): Promise<void> {
  return withDirectory(async (directory) => {
    write(`${directory}/volume`, buildLuks1(modelOf()).image);
    const model = { ...plain, encryption: luks, clusters: [data(0), data(3)] };
    write(`${directory}/image`, buildQcow2(normaliseQcow2(model)).image);
    for (const text of ["first", "second", "secret", WRONG]) {
      Deno.writeTextFileSync(`${directory}/${text}.key`, text);
    }
    await test(directory, (...args) => diskproof(directory, args));
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What a guest sees of the volume. */
const CONTENT = sha256(patternBytes({ kind: "text", seed: 1 }, 4096));

Deno.test("digest reads a passphrase from a file, from standard input or from the command line", () =>
  withImages(async (directory, run) => {
    const expected = `${CONTENT}  volume\n`;
    for (
      const options of [
        ["--passphrase-file", "first.key"],
        ["--passphrase-file", "second.key"],
        ["--passphrase", "second"],
        ["--passphrase-file", `${WRONG}.key`, "--passphrase-file", "first.key"],
        ["--passphrase", WRONG, "--passphrase-file", "first.key"],
      ]
    ) {
      assertEquals(await run("digest", "volume", ...options), {
        status: 0,
        stdout: expected,
        stderr: "",
      });
    }
    const piped = ["digest", "volume", "volume", "--passphrase-file", "-"];
    const { status, stdout } = await diskproof(directory, piped, "first");
    assertEquals([status, stdout], [0, expected.repeat(2)]);
  }));

Deno.test("a wrong passphrase gives one line and exit status 2, and is never printed", () =>
  withImages(async (_, run) => {
    for (const verb of ["digest", "map", "judge", "convert"]) {
      for (const image of ["volume", "image"]) {
        const out = verb === "convert" ? ["out"] : [];
        const { status, stdout, stderr } = await run(verb, image, ...out, "--passphrase", WRONG);
        assertEquals([status, stdout === ""], [2, verb !== "judge"], verb);
        assert(!stdout.includes(WRONG));
        assertEquals(
          stderr,
          `diskproof: Cannot open ${image}: none of the given passphrases opens it\n`,
        );
      }
    }
    const check = await run("check", "image", "--passphrase", WRONG);
    // 2 reports corruptions there.
    assertEquals([check.status, check.stdout], [1, ""]);
    assertStringIncludes(check.stderr, "none of the given passphrases opens it");
    assert(!check.stderr.includes(WRONG));
  }));

Deno.test("a missing passphrase is one line that says how to give it", () =>
  withImages(async (_, run) => {
    for (const image of ["volume", "image"]) {
      const { status, stderr } = await run("digest", image);
      assertEquals(status, 2);
      assertStringIncludes(
        stderr,
        "it is encrypted; give a passphrase with --passphrase-file FILE",
      );
    }
    const judged = await run("judge", "volume");
    assertEquals(judged.status, 0);
    assertStringIncludes(judged.stdout, "luks.open.key-present");
    assertEquals(JSON.parse(judged.stdout).qemu.open, "needs-key");
  }));

Deno.test("every byte of a passphrase file counts", () =>
  withImages(async (directory, run) => {
    Deno.writeTextFileSync(`${directory}/line.key`, "first\n");
    assertEquals((await run("digest", "volume", "--passphrase-file", "line.key")).status, 2);
    const missing = await run("digest", "volume", "--passphrase-file", "none.key");
    assertEquals(missing.status, 2);
    assertStringIncludes(missing.stderr, "there is no such file");
  }));

Deno.test("info, check and judge of an encrypted image match those of a plain one", () =>
  withImages(async (_, run) => {
    const info = JSON.parse((await run("info", "--output", "json", "image")).stdout);
    assertEquals(info["format-specific"].data.encrypt.format, "luks");
    assertEquals(info["format-specific"].data.encrypt.slots[0].iters, 5);
    const check = await run("check", "image", "--passphrase-file", "secret.key");
    assertEquals(check.status, 0);
    assertStringIncludes(check.stdout, "No errors were found");
    const judged = await run("judge", "image", "volume", "--passphrase", "secret");
    assertEquals(judged.status, 2);
    assertEquals(JSON.parse(judged.stdout.split("\n")[0] as string).qemu.open, "accept");
    const both = ["--passphrase", "secret", "--passphrase", "first"];
    const lines = (await run("judge", "--digest", "image", "volume", ...both)).stdout.trim();
    assertEquals(JSON.parse(lines.split("\n")[1] as string).digest, CONTENT);
  }));

Deno.test("--header opens the payload of a detached header, and inspect shows the header", () =>
  withImages(async (directory, run) => {
    const detached = buildLuks1(modelOf({ detached: true }));
    assert(detached.payload !== undefined);
    write(`${directory}/header`, detached.image);
    write(`${directory}/payload`, detached.payload);
    const key = ["--header", "header", "--passphrase", "first"];
    assertEquals((await run("digest", "payload", ...key)).stdout, `${CONTENT}  payload\n`);
    assertStringIncludes((await run("inspect", "payload", ...key)).stdout, "/key_slots/7");
    const none = await run("digest", "payload", "--header", "nothing");
    assertEquals(none.status, 2);
  }));

Deno.test("--dialect draft-2016 reads images that the format does not define", () =>
  withImages(async (directory, run) => {
    const { image, content } = draftImage("secret");
    write(`${directory}/draft`, image);
    const key = ["--passphrase", "secret"];
    const asFormat = await run("digest", "draft", ...key);
    assertEquals(asFormat.status, 1);
    assertStringIncludes(asFormat.stderr, "qcow2.crypt.luks-ext-present");
    const asDraft = await run("digest", "draft", ...key, "--dialect", "draft-2016");
    assertEquals(asDraft.stdout, `${sha256(content)}  draft\n`);
    assertStringIncludes(asFormat.stderr, "--dialect draft-2016");
    const info = await run("info", "draft", "--dialect", "draft-2016", "--output", "json");
    assertEquals(JSON.parse(info.stdout)["format-specific"].data.encrypt["cipher-mode"], "cbc");
    assertEquals((await run("check", "draft", ...key, "--dialect", "draft-2016")).status, 0);
    assertEquals((await run("info", "draft")).status, 1);
    const anatomy = (await run("inspect", "draft", "--dialect", "draft-2016")).stdout;
    assertStringIncludes(anatomy, "/luks/key_slots/0: key slot 0, enabled, 48 bytes");
    assertEquals((await run("inspect", "draft")).stdout.includes("/luks/"), false);
    const wrong = await run("digest", "draft", "--dialect", "draft-2015");
    assertEquals([wrong.status, wrong.stdout], [2, ""]);
  }));

Deno.test("--max-iterations limits the cost of attempts with a passphrase", () =>
  withImages(async (_, run) => {
    const key = ["--passphrase", "second", "--max-iterations"];
    // Two iterations and the digest's three for the first key slot, five and three for the second.
    assertEquals((await run("digest", "volume", ...key, "13")).status, 0);
    const { status, stderr } = await run("digest", "volume", ...key, "12");
    assertEquals(status, 2);
    assertStringIncludes(stderr, "more work than --max-iterations allows");
    const judged = await run("judge", "volume", ...key, "12");
    assertEquals(judged.status, 2);
    assertEquals(JSON.parse(judged.stdout).qemu, { open: "unknown", read: "unknown", check: null });
  }));
