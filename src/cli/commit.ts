import { EditError } from "../format/mod.ts";
import { commitInto, OverlayError } from "../image/edit/mod.ts";
import { changeError, changing, mustBeEditable } from "./edits.ts";
import { onlyImage, OPENING, OPENING_HELP } from "./images.ts";
import { parseOptions } from "./options.ts";
import { Pauses } from "./write_files.ts";

/** The text of `commit --help`. */
export const help = `diskproof commit IMAGE [options]

Writes the content of an image into its backing file, and then empties the image, as qemu-img
commit does. A backing file that is shorter grows.

  -d, --keep           do not empty the image
${OPENING_HELP}
  --help               this text

Wherever this stops, IMAGE shows the same content as before. Other overlays of the backing file
change: their content is lost.

Exit status: 0 success, 1 an image cannot be changed, 2 a file cannot be used, or no given
passphrase opens it.

Example

  diskproof commit overlay.qcow
`;

/** `commit`: the content of an overlay goes into its backing file. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["keep"],
    ...OPENING,
    letters: { ...OPENING.letters, d: "keep" },
  });
  const path = onlyImage(options);
  await changing(path, options, async (image) => {
    const base = image.editBacking?.();
    if (base === undefined) throw new EditError("It has no backing file");
    try {
      mustBeEditable(base);
      const pauses = new Pauses();
      const keep = options.flag("keep");
      for (const _ of commitInto(base.editor, image.editor, { keep })) {
        if (pauses.due) await pauses.pause();
      }
      base.finish();
    } catch (error) {
      throw error instanceof OverlayError ? error.cause : changeError(base.path, error);
    } finally {
      base.close();
    }
  });
  return 0;
}
