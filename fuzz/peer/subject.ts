import type { Subject } from "../../src/peers/mod.ts";
import type { PeerUnderTest } from "./under_test.ts";
import type { CaseView } from "./view.ts";

/** Longer files are not written. */
export const FILE_MAX = 2 ** 22;

/** The image of a case, whose files are in a directory. */
export function subjectOf(
  { files, opened, passphrases, value }: CaseView,
  { directory, under: { description: { takes = [] } } }: {
    directory: string;
    under: PeerUnderTest;
  },
): Subject {
  const [first, second] = files.map(({ name }) => name);
  const isDetached = value.kit !== "chain" && second !== undefined && opened.header !== undefined;
  return {
    directory,
    path: (isDetached ? second : first) ?? "",
    // Programs that know no LUKS2 detect such a volume as raw.
    ...(value.kit === "luks2" ? { format: "luks2" } : {}),
    ...(isDetached ? { header: first ?? "" } : {}),
    ...(passphrases.length === 0 || !takes.includes("passphrases") ? {} : { passphrases }),
  };
}
