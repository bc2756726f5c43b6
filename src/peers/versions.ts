/** What an answer of one version of qemu-img can be compared by. */
export interface Comparable {
  /** Keys of `info` to leave out. */
  readonly infoWithout: readonly string[];
  /** Keys to leave out of the answer to `info` for a LUKS header. */
  readonly luksWithout: readonly "detached-header"[];
  /** Keys of a map entry to leave out. */
  readonly mapWithout: readonly ("present" | "compressed")[];
}

/**
 * Keys of `info` that describe the machine and not the image (`actual-size`, `filename`), that came
 * with a later version (`children` 8.0, `limits` 10.2), or both.
 */
export const INFO_NEVER_COMPARED = ["actual-size", "filename", "children", "limits"] as const;

/** Says which fields to leave out of a comparison with an answer of that version, such as `7.2.22`. */
export function comparable(version: string): Comparable {
  const mapWithout: ("present" | "compressed")[] = [];
  if (isBefore(version, 6, 1)) mapWithout.push("present");
  if (isBefore(version, 8, 2)) mapWithout.push("compressed");
  const luksWithout = isBefore(version, 9, 0) ? ["detached-header" as const] : [];
  return { infoWithout: INFO_NEVER_COMPARED, luksWithout, mapWithout };
}

function isBefore(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/** Whether a version, such as `7.2.22`, is older than another one. */
export function isOlder(version: string, other: string): boolean {
  return version !== other && olderVersion(version, other) === version &&
    olderVersion(other, version) === version;
}

/** The older of two versions; the first where there is no second. */
export function olderVersion(first: string, second: string | undefined): string {
  if (second === undefined) return first;
  const theirs = second.split(".").map(Number);
  const ours = first.split(".").map(Number);
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const difference = (ours[i] ?? 0) - (theirs[i] ?? 0);
    if (difference !== 0) return difference < 0 ? first : second;
  }
  return first;
}
