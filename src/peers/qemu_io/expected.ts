import { jsonName } from "../qemu_img/names.ts";
import { type BlockOptions, within } from "../qemu_img/options.ts";
import { makeScratch, type Scratch } from "../tool/scratch.ts";
import { rewrite } from "./overlay.ts";

/**
 * The content that an image should have, as a file. QEMU's driver blkverify reads both and ends qemu-io
 * where they differ (docs/devel/blkverify.txt).
 */
export class ExpectedFile {
  readonly #scratch: Scratch;
  readonly #file: Deno.FsFile;

  /** @throws {ScratchError} if the scratch folder cannot be made */
  constructor(scratch: string | undefined) {
    this.#scratch = makeScratch(scratch);
    this.#file = Deno.openSync(this.#path, { write: true, create: true });
  }

  get #path(): string {
    return `${this.#scratch.path}/expected`;
  }

  /** Writes the content of the next image. */
  reset(bytes: Uint8Array): void {
    rewrite(this.#file, bytes);
  }

  /** The command that opens an image, by its options, together with this file. */
  openCommand(subject: BlockOptions): string {
    return "open -r " + jsonName({
      driver: "blkverify",
      "raw.driver": "file",
      "raw.filename": this.#path,
      ...within("test", subject),
    });
  }

  remove(): void {
    this.#file.close();
    this.#scratch.remove();
  }
}
