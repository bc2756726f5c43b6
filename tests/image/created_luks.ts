import { assertEquals } from "@std/assert";
import { run as create } from "../../src/cli/create.ts";

/** An image with a LUKS header; its options as for qemu-img, without those of the key. */
interface Creating {
  readonly format: "luks" | "qcow2";
  readonly options: string;
  /** The file with the passphrase. */
  readonly passphrase: string;
  /** The size, or options for a backing file. */
  readonly words: readonly string[];
}

/**
 * Creates an image for tests of how such images are opened, read and written: qemu-img measures the
 * speed of PBKDF2 for seconds each time.
 */
export async function createLuks(path: string, creating: Creating): Promise<void> {
  const { format, options, passphrase, words } = creating;
  const luks = format === "luks"
    ? "iterations=1000"
    : "encrypt.format=luks,encrypt.iterations=1000";
  const all = options === "" ? luks : `${luks},${options}`;
  const key = ["--passphrase-file", passphrase];
  assertEquals(await create(["-f", format, ...key, "-o", all, path, ...words]), 0);
}
