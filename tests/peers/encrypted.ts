import { createLuks } from "../image/created_luks.ts";
import { make } from "./tools.ts";
import { toolPath } from "../../src/peers/qemu_img/names.ts";

/** An encrypted image to be made; its options without those of the key. */
export interface Making {
  readonly name: string;
  readonly format: "luks" | "qcow" | "qcow2";
  readonly passphrase: string;
  readonly options?: string;
  readonly arguments?: readonly string[];
  readonly size?: string;
}

/**
 * Makes an encrypted image: with qemu-img, except for LUKS. The passphrase is in `NAME.key` beside it.
 */
export async function makeEncrypted(directory: string, making: Making): Promise<void> {
  const { name, format, passphrase, options = "", size = "64k", arguments: words = [] } = making;
  const secret = `${directory}/${name.replace(/\W/g, "_")}.key`;
  Deno.writeTextFileSync(secret, passphrase);
  if (format !== "qcow" && !options.includes("encrypt.format=aes")) {
    await createLuks(`${directory}/${name}`, {
      format,
      options,
      passphrase: secret,
      words: [...words, size],
    });
    return;
  }
  const aes = format === "qcow" ? "encrypt.format=aes" : options;
  await make(
    directory,
    ...["qemu-img", "create", "-q", "-f", format, "--object", `secret,id=key,file=${secret}`],
    ...["-o", `encrypt.key-secret=key,${aes}`, ...words, "--", toolPath(name), size],
  );
}

/** Has qemu-io run commands on an image opened with these secrets, as `id=passphrase file`. */
export async function writeEncrypted(
  directory: string,
  image: string,
  { keys, commands }: { keys: Record<string, string>; commands: readonly string[] },
): Promise<void> {
  const secrets = Object.entries(keys).flatMap(([id, file]) => {
    return ["--object", `secret,id=${id},file=${file}`];
  });
  const all = commands.flatMap((command) => ["-c", command]);
  await make(directory, "qemu-io", ...secrets, "--image-opts", ...all, image);
}
