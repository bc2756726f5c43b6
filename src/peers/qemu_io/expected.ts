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

  /**
   * Writes the content of the next image.
   *
   * @param length of the file, with zeros behind the content
   * @returns whether it is that long: the file system may not have files of such a length
   */
  reset(bytes: Uint8Array, length: number): boolean {
    rewrite(this.#file, bytes);
    try {
      this.#file.truncateSync(length);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * The command that opens an image, by its options, together with this file. The image is the one that
   * blkverify filters: its map is the answer to `map`, but its length is that of this file
   * (block/blkverify.c, blkverify_getlength).
   */
  openCommand(subject: BlockOptions): string {
    return "open -r " + jsonName({
      driver: "blkverify",
      ...within("raw", subject),
      "test.driver": "file",
      "test.filename": this.#path,
    });
  }

  remove(): void {
    this.#file.close();
    this.#scratch.remove();
  }
}
