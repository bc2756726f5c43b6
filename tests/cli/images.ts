import { make } from "../peers/tools.ts";

/** An image that qemu-img makes, as the commands that do so. */
export interface MadeImage {
  /** Its file; other files may be beside it. */
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
}

const create = ["qemu-img", "create", "-q", "-f"];
const write = (file: string, format: string, ...commands: string[]) => [
  "qemu-io",
  "-f",
  format,
  ...commands.flatMap((command) => ["-c", command]),
  file,
];

/** Images of every sort, each in a few milliseconds. */
export const MADE: readonly MadeImage[] = [
  { name: "empty.qcow2", commands: [[...create, "qcow2", "empty.qcow2", "10M"]] },
  {
    name: "v2.qcow2",
    commands: [
      [...create, "qcow2", "-o", "compat=0.10,cluster_size=4k", "v2.qcow2", "1M"],
      write("v2.qcow2", "qcow2", "write -P 1 4k 12k", "write -P 2 64k 4k"),
    ],
  },
  {
    name: "overlay.qcow2",
    commands: [
      [...create, "raw", "base.raw", "2M"],
      write("base.raw", "raw", "write -P 17 0 2M"),
      [...create, "qcow2", "-b", "base.raw", "-F", "raw", "overlay.qcow2", "4M"],
      write("overlay.qcow2", "qcow2", "write -P 1 64k 128k", "write -z 512k 64k"),
      ["qemu-img", "snapshot", "-c", "first one", "overlay.qcow2"],
      write("overlay.qcow2", "qcow2", "write -P 2 64k 64k", "write -P 3 3M 64k"),
    ],
  },
  {
    name: "extended.qcow2",
    commands: [
      [...create, "qcow2", "-o", "extended_l2=on", "extended.qcow2", "5M"],
      write("extended.qcow2", "qcow2", "write -P 3 0 20k", "write -z 32k 4k"),
      ["qemu-img", "bitmap", "--add", "extended.qcow2", "täglich"],
    ],
  },
  {
    name: "compressed.qcow2",
    commands: [
      [...create, "qcow2", "compressed.qcow2", "1M"],
      write("compressed.qcow2", "qcow2", "write -c -P 4 0 64k", "write -c -P 5 64k 64k"),
    ],
  },
  {
    name: "outside.qcow2",
    commands: [
      [...create, "qcow2", "-o", "data_file=data.raw,data_file_raw=on", "outside.qcow2", "1M"],
      write("outside.qcow2", "qcow2", "write -P 6 0 128k"),
    ],
  },
  {
    name: "old.qcow",
    commands: [
      [...create, "qcow", "old.qcow", "3M"],
      write("old.qcow", "qcow", "write -P 7 0 20k", "write -P 8 1M 4k"),
    ],
  },
  {
    name: "plain.raw",
    commands: [[...create, "raw", "plain.raw", "1M"], write("plain.raw", "raw", "write 64k 64k")],
  },
];

/** Makes images in a directory. */
export async function makeImages(
  directory: string,
  images: readonly MadeImage[] = MADE,
): Promise<void> {
  for (const { commands } of images) {
    for (const command of commands) await make(directory, ...command);
  }
}

/** The image of `MADE` with a name. */
export function madeImage(name: string): MadeImage {
  const found = MADE.find((image) => image.name === name);
  if (found === undefined) throw new Error(`Cannot find an image ${name}`);
  return found;
}

/** Writes 64-bit big-endian values over an image. */
export function overwrite(path: string, values: Readonly<Record<number, bigint>>): void {
  using file = Deno.openSync(path, { write: true });
  for (const [offset, value] of Object.entries(values)) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value);
    file.seekSync(Number(offset), Deno.SeekMode.Start);
    file.writeSync(bytes);
  }
}
