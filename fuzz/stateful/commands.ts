import { patternBytes } from "../../src/format/mod.ts";
import type { Action } from "./step.ts";

/** How qemu-io or qemu-img applies an action. */
export type Command =
  /** A command of qemu-io; `file` has the bytes of a pattern. */
  | { readonly io: string; readonly file?: { readonly name: string; readonly bytes: Uint8Array } }
  /** Arguments of qemu-img around the name of the image. */
  | { readonly img: (image: string) => readonly string[] }
  /** The image is closed and opened again. */
  | { readonly reopen: true };

/** The command of an action on an image of a format. */
export function commandOf(action: Action, format = "luks"): Command {
  switch (action.do) {
    case "write":
    case "compressed": {
      const { range: { start, end }, pattern } = action;
      const flags = action.do === "compressed" ? "-q -c" : "-q";
      const length = end - start;
      if (pattern.kind === "fill") {
        return { io: `write ${flags} -P ${pattern.seed} ${start} ${length}` };
      }
      const name = `${pattern.kind}-${pattern.seed}-${length}`;
      const file = { name, bytes: patternBytes(pattern, length) };
      return { io: `write ${flags} -s ${name} ${start} ${length}`, file };
    }
    case "zero": {
      const { range: { start, end }, unmap } = action;
      return { io: `write -q -z${unmap ? " -u" : ""} ${start} ${end - start}` };
    }
    case "empty":
      // The same content; qemu-img empties an image with commit alone.
      return { io: `write -q -z -u 0 ${action.range.end}` };
    case "discard":
      return { io: `discard -q ${action.range.start} ${action.range.end - action.range.start}` };
    case "flush":
      return { io: "flush" };
    case "reopen":
      return { reopen: true };
    case "resize":
      return { io: `truncate ${action.size}` };
    case "snapshot":
      return { img: (image) => ["snapshot", "-c", action.name, image] };
    case "apply":
      return { img: (image) => ["snapshot", "-a", action.id ?? action.name, image] };
    case "delete":
      return { img: (image) => ["snapshot", "-d", action.name, image] };
    case "key-add":
    case "key-erase": {
      const options = action.do === "key-add"
        ? ["state=active", "new-secret=key", "iter-time=10"]
        : ["state=inactive", "old-secret=key"];
      const how = options.map((it) => format === "qcow2" ? `encrypt.${it}` : it).join(",");
      const secret = `secret,id=key,data=${action.name}`;
      return { img: (image) => ["amend", "--object", secret, "-o", how, image] };
    }
    default:
      return { img: bitmapArguments(action) };
  }
}

function bitmapArguments(
  action: Extract<Action, { do: `bitmap-${string}` }>,
): (image: string) => readonly string[] {
  const { name } = action;
  if (action.do === "bitmap-merge") {
    return (image) => ["bitmap", "--merge", action.source, "--", image, name];
  }
  if (action.do !== "bitmap-add") {
    return (image) => ["bitmap", `--${action.do.slice("bitmap-".length)}`, "--", image, name];
  }
  const disabled = action.enabled ? [] : ["--disable"];
  const granularity = ["-g", `${action.granularity}`];
  return (image) => ["bitmap", "--add", ...granularity, ...disabled, "--", image, name];
}

/** Whether QEMU may reject an action; otherwise it is done, or something is wrong. */
export function isDoubtful({ do: verb }: Action): boolean {
  return !["write", "zero", "discard", "empty", "flush", "reopen"].includes(verb);
}
