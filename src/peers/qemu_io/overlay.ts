import { PeerError } from "../peer.ts";
import { jsonName } from "../qemu_img/names.ts";
import { type BlockOptions, within } from "../qemu_img/options.ts";
import { runTool } from "../tool/process.ts";
import { makeScratch, type Scratch, writeScratchFile } from "../tool/scratch.ts";

/** What a scratch image is made with. */
export interface OverlayOptions {
  readonly qemuImg?: readonly string[];
  readonly scratch?: string;
  /** Its size in bytes. */
  readonly capacity: number;
}

/** Content is copied in pieces of this size. */
const CLUSTER_SIZE = "64k";

/**
 * A scratch image whose external data file holds what is read through it. qemu-img makes it once; it is
 * emptied before each use.
 */
export class Overlay {
  readonly #scratch: Scratch;
  readonly #empty: Uint8Array;

  private constructor(scratch: Scratch) {
    this.#scratch = scratch;
    this.#empty = Deno.readFileSync(this.#image);
  }

  /** @throws {PeerError} when qemu-img does not make it */
  static async make(options: OverlayOptions): Promise<Overlay> {
    const scratch = makeScratch(options.scratch);
    const settings = `data_file=${scratch.path}/data,cluster_size=${CLUSTER_SIZE}`;
    const args = ["create", "-q", "-f", "qcow2", "-o", settings, `${scratch.path}/image`];
    const command = [...options.qemuImg ?? ["qemu-img"], ...args, String(options.capacity)];
    const { end, stderr } = await runTool(command);
    try {
      if (end.kind === "exited" && end.code === 0) return new Overlay(scratch);
    } catch {
      // It said that it made the image, and did not.
    }
    scratch.remove();
    throw new PeerError(`Cannot make a scratch image: ${stderr.trim() || end.kind}`);
  }

  get #image(): string {
    return `${this.#scratch.path}/image`;
  }

  get #data(): string {
    return `${this.#scratch.path}/data`;
  }

  /** Empties the image. */
  reset(): void {
    writeScratchFile(this.#image, this.#empty);
    writeScratchFile(this.#data, new Uint8Array());
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
    this.#scratch.remove();
  }
}
