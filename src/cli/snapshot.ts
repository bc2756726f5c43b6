import type { SnapshotEditor } from "../format/mod.ts";
import { exactInfoOf, unicodeInfoOf } from "../image/mod.ts";
import { qemuJson, snapshotLines } from "../report/mod.ts";
import { changing } from "./edits.ts";
import { mustOpen, OPENING, OPENING_HELP, openNamed } from "./images.ts";
import { didYouMean } from "./nearest.ts";
import { type Options, parseOptions } from "./options.ts";
import { print } from "./output.ts";
import { ImageError, UsageError } from "./verb.ts";

/** The text of `snapshot --help`. */
export const help = `diskproof snapshot list|create|apply|delete IMAGE [NAME] [options]

Lists or changes the internal snapshots of a qcow2 image, as qemu-img snapshot does. No other
program may use the image meanwhile.

  list     print the snapshots (also -l)
  create   keep the current content as the snapshot NAME (also -c)
  apply    make the content of the snapshot NAME the current content (also -a)
  delete   remove the snapshot NAME (also -d)

NAME is the id of a snapshot, or else its name. A change is complete or not made at all, even if
it is interrupted; then the file may be larger than it needs to be.

  --json               list: JSON, as qemu-img info prints it; also --output json
${OPENING_HELP}
  --help               this text

Exit status: 0 success, 1 the image does not open or does not allow the change, 2 a file cannot
be used.

Example

  diskproof snapshot create disk.qcow2 before-update
`;

const ACTIONS = ["list", "create", "apply", "delete"] as const;
type Action = typeof ACTIONS[number];

/** `snapshot`: lists or changes internal snapshots. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    ...OPENING,
    flags: ["json", ...ACTIONS],
    letters: { ...OPENING.letters, l: "list", c: "create", a: "apply", d: "delete" },
  });
  const { action, path, name } = requestOf(options);
  if (action === "list") list(path, options);
  else {
    await changing(path, options, ({ editor: { snapshots } }) => {
      if (snapshots === undefined) throw new ImageError(`${path}: the format has no snapshots`);
      change(snapshots, action, name ?? "");
    });
  }
  return 0;
}

function requestOf(options: Options): { action: Action; path: string; name?: string } {
  const flagged = ACTIONS.filter((known) => options.flag(known));
  const words = [...flagged, ...options.positional];
  const [word = "", path, name, ...others] = words;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined || flagged.length > 1) {
    const meant = didYouMean(word, ACTIONS);
    throw new UsageError(`name an action: list, create, apply or delete${meant}`);
  }
  // qemu-img has the name before the image.
  const [image, snapshot] = flagged.length > 0 && action !== "list" ? [name, path] : [path, name];
  if (image === undefined || others.length > 0) throw new UsageError("name one image (see --help)");
  if ((snapshot === undefined) !== (action === "list")) {
    const says = action === "list" ? "accepts no name" : "requires the name of a snapshot";
    throw new UsageError(`${action} ${says} (see --help)`);
  }
  return { action, path: image, ...(snapshot === undefined ? {} : { name: snapshot }) };
}

function change(snapshots: SnapshotEditor, action: Action, name: string): void {
  if (action === "create") print(`snapshot ${snapshots.create(name)}: ${name}`);
  else if (action === "apply") snapshots.apply(name);
  else snapshots.delete(name);
}

function list(path: string, options: Options): void {
  const image = openNamed(path, options, { alone: true });
  try {
    mustOpen(image, "info");
    if (options.flag("json")) {
      print(qemuJson([...unicodeInfoOf(image).snapshots ?? []]));
      return;
    }
    const { snapshots = [] } = exactInfoOf(image);
    for (const line of snapshotLines(snapshots)) print(line);
  } finally {
    image.close();
  }
}
