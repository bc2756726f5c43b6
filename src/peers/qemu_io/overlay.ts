import { PeerError } from "../peer.ts";
import { jsonName } from "../qemu_img/names.ts";
import { type BlockOptions, within } from "../qemu_img/options.ts";
import { runTool } from "../tool/process.ts";
import { makeScratchDirectory } from "../tool/scratch.ts";

/** What a scratch image is made with. */
export interface OverlayOptions {
  readonly qemuImg?: readonly string[];
  readonly scratch?: string;
  /** Bytes that it holds. */
  readonly capacity: number;
}

/** Content is copied in pieces of this size. */
const CLUSTER_SIZE = "64k";

/**
 * A scratch image whose external data file takes in what is read through it. qemu-img makes it once;
 * it is put back to empty before each use.
 */
export class Overlay {
  readonly #directory: string;
  readonly #empty: Uint8Array;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#empty = Deno.readFileSync(this.#image);
  }

  /** @throws {PeerError} when qemu-img does not make it */
  static async make(options: OverlayOptions): Promise<Overlay> {
    const directory = await makeScratchDirectory(options.scratch);
    const settings = `data_file=${directory}/data,cluster_size=${CLUSTER_SIZE}`;
    const args = ["create", "-q", "-f", "qcow2", "-o", settings, `${directory}/image`];
    const command = [...options.qemuImg ?? ["qemu-img"], ...args, String(options.capacity)];
    const { end, stderr } = await runTool(command);
    if (end.kind === "exited" && end.code === 0) return new Overlay(directory);
    await Deno.remove(directory, { recursive: true });
    throw new PeerError(`Cannot make a scratch image: ${stderr.trim() || end.kind}`);
  }

  get #image(): string {
    return `${this.#directory}/image`;
  }

  get #data(): string {
    return `${this.#directory}/data`;
  }

  /** Forgets what was read. */
  reset(): void {
    Deno.writeFileSync(this.#image, this.#empty);
    Deno.writeFileSync(this.#data, new Uint8Array());
  }

  /** The command that opens an image, by its options, through this one. */
  openCommand(subject: BlockOptions): string {
    return "open -C -t unsafe " + jsonName({
      driver: "qcow2",
      "file.driver": "file",
      "file.filename": this.#image,
      "data-file.driver": "file",
      "data-file.filename": this.#data,
      ...within("backing", subject),
    });
  }

  /** What has been read of the first `size` bytes; the rest is zeros. */
  content(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    using file = Deno.openSync(this.#data);
    let done = 0;
    while (done < size) {
      const count = file.readSync(bytes.subarray(done));
      if (count === null) break;
      done += count;
    }
    return bytes;
  }

  remove(): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}
