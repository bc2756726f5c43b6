import { assertEquals } from "@std/assert";
import { readRecord, unpackRecord } from "../../src/recorded/mod.ts";
import { bundle } from "../../scripts/bundle.ts";
import config from "../../deno.json" with { type: "json" };
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

const GOLDEN = new URL("../../golden/images", import.meta.url).pathname;
const IMAGE = "qcow2-cluster-128k";

/** Bundles the program, or says why Deno's bundler is missing. */
function bundled(folder: string): string | undefined {
  try {
    return bundle(folder);
  } catch (error) {
    const { message } = error as Error;
    // Deno downloads the bundler when it is first used.
    if (Deno.env.get("DISKPROOF_REQUIRE_TOOLS") === "1" || !/download|esbuild/i.test(message)) {
      throw error;
    }
    Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${message}\n`));
    return undefined;
  }
}

Deno.test("the bundled program prints what the program prints", () =>
  withDirectory(async (directory) => {
    const program = bundled(`${directory}/program`);
    if (program === undefined) return;
    unpackRecord(GOLDEN, readRecord(GOLDEN, IMAGE), directory);
    const options = config.tasks.diskproof.command.split(" ").slice(1, -1);
    const commands: readonly (readonly string[])[] = [
      ["--version"],
      ["info", "--json", "disk"],
      ["judge", "disk", "missing"],
      // Errors have their exit status by the names of their classes.
      ["info", "missing"],
      ["info", "--wrong", "disk"],
      ["create", "-f", "qcow2", "new", "1", "-o", "encrypt.format=luks"],
      ["validate", "no-such-peer-of-diskproof"],
      // Two images are hashed in workers.
      ["digest", "disk", "disk"],
    ];
    for (const args of commands) {
      const command = new Deno.Command("deno", {
        args: [...options, "--no-config", program, ...args],
        cwd: directory,
        env: { NO_COLOR: "1" },
      });
      const { code, stdout, stderr } = await command.output();
      const decoder = new TextDecoder();
      const printed = {
        status: code,
        stdout: decoder.decode(stdout),
        stderr: decoder.decode(stderr),
      };
      assertEquals(printed, await diskproof(directory, args), args.join(" "));
    }
  }));
