import { PeerError } from "../peer.ts";
import { jsonName } from "../qemu_img/names.ts";
import { type BlockOptions, within } from "../qemu_img/options.ts";
import { runTool } from "../tool/process.ts";
import { makeScratch, type Scratch, scratchError } from "../tool/scratch.ts";

/** What a scratch image is made with. */
export interface OverlayOptions {
  readonly qemuImg?: readonly string[];
  readonly scratch?: string;
  /** Its size in bytes. */
  readonly capacity: number;
}

/** The smallest there is, so that what cannot be read spoils nothing beside it. */
const CLUSTER_SIZE = 512;
/** A start of the data that nothing was copied to. */
const NO_DATA = new Uint8Array(512);

/**
 * A scratch image whose external data file holds what is read through it. qemu-img makes it once; it is
 * emptied before each use.
 */
export class Overlay {
  readonly #scratch: Scratch;
  readonly #empty: Uint8Array;

  readonly #imageFile: Deno.FsFile;
  readonly #dataFile: Deno.FsFile;

  private constructor(scratch: Scratch) {
    this.#scratch = scratch;
    this.#empty = Deno.readFileSync(this.#image);
    this.#imageFile = Deno.openSync(this.#image, { write: true });
    this.#dataFile = Deno.openSync(this.#data, { read: true, write: true });
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
    rewrite(this.#imageFile, this.#empty);
    rewrite(this.#dataFile, NO_DATA);
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
    this.#dataFile.seekSync(0, Deno.SeekMode.Start);
    let done = 0;
    while (done < size) {
      const count = this.#dataFile.readSync(bytes.subarray(done));
      if (count === null) break;
      done += count;
    }
    return bytes;
  }

  remove(): void {
    this.#imageFile.close();
    this.#dataFile.close();
    this.#scratch.remove();
  }
}

/**
 * Gives a file this content and no more. The file is not emptied first: ext4 starts to write a file that
 * was emptied to the disk as soon as it is closed, which takes longer than everything else here.
 */
export function rewrite(file: Deno.FsFile, bytes: Uint8Array): void {
  try {
    file.seekSync(0, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    file.truncateSync(bytes.length);
  } catch (error) {
    throw scratchError("Cannot write to the scratch folder", error);
  }
}
