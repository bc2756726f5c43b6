import { runTool } from "../../src/peers/mod.ts";
import { toolPath } from "../../src/peers/qemu_img/names.ts";
import { make } from "./tools.ts";

/** Milliseconds that a key slot is to take: little more than the least number of iterations. */
const ITER_TIME = 1;
const ATTEMPTS = 40;

/** An encrypted image to be made; its options without those of the key. */
export interface Making {
  readonly name: string;
  readonly format: "luks" | "qcow" | "qcow2";
  readonly passphrase: string;
  readonly options?: string;
  readonly arguments?: readonly string[];
  readonly size?: string;
}

/** The names of the options of a key, in front of which a format has its own word. */
function keyOptions(format: Making["format"], options: string): string[] {
  if (format === "luks") return ["key-secret=key", `iter-time=${ITER_TIME}`];
  const aes = format === "qcow" || options.includes("encrypt.format=aes");
  const luks = ["encrypt.format=luks", `encrypt.iter-time=${ITER_TIME}`];
  return [
    "encrypt.key-secret=key",
    ...(format === "qcow" ? ["encrypt.format=aes"] : aes ? [] : luks),
  ];
}

/**
 * Has qemu-img make an encrypted image, again where it fails to measure its own speed. The passphrase
 * is in `NAME.key` beside it.
 */
export async function makeEncrypted(directory: string, making: Making): Promise<void> {
  const { name, format, passphrase, options = "", size = "64k" } = making;
  const secret = `${directory}/${name.replace(/\W/g, "_")}.key`;
  Deno.writeTextFileSync(secret, passphrase);
  const all = [...keyOptions(format, options), ...(options === "" ? [] : [options])].join(",");
  const command = [
    ...["qemu-img", "create", "-q", "-f", format, "--object", `secret,id=key,file=${secret}`],
    ...["-o", all, ...making.arguments ?? [], "--", toolPath(name), size],
  ];
  for (let attempt = 1;; attempt++) {
    const { end, stderr } = await runTool(command, { directory });
    if (end.kind === "exited" && end.code === 0) return;
    if (attempt === ATTEMPTS || !/accurate CPU usage/.test(stderr)) {
      throw new Error(`${command.join(" ")}: ${end.kind}: ${stderr}`);
    }
  }
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
