import { FileSource } from "../../bytes/mod.ts";
import { formatNamed } from "../../formats.ts";
import { Findings } from "../../rules/mod.ts";
import { isProtocol, resolveName } from "../file_names.ts";

/** A backing file as a new image names it. */
export interface BackingNamed {
  readonly name: string;
  readonly format: string;
}

/**
 * The virtual size of a backing file, in bytes.
 *
 * @param overlay name of the new image; the name of the backing file is relative to its folder
 * @returns the size, or why there is none, as the end of a sentence
 * @throws {Error} of the file system, when it cannot be read
 */
export function backingSize(overlay: string, { name, format }: BackingNamed): number | string {
  const known = formatNamed(format);
  if (known === undefined) return `its format '${format}' is not supported`;
  if (isProtocol(name)) return "its name is not a file name";
  const source = new FileSource(resolveName(overlay, name));
  try {
    const findings = new Findings();
    const layer = known.driver.open(source, findings);
    const refusal = findings.refusal("info");
    if (refusal !== undefined) return `it cannot be opened: ${refusal.message}`;
    return layer?.virtualSize ?? `${format} ignores it`;
  } finally {
    source.close();
  }
}
