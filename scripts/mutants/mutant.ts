/** The parts of the project that bugs are planted in. */
export const ROOMS = [
  "bytes",
  "codec",
  "crypto",
  "qcow1",
  "qcow2",
  "luks1",
  "luks2",
  "image",
  "judge",
  "writers",
] as const;

/** One of the rooms. */
export type Room = typeof ROOMS[number];

/** A planted bug: a text of one file, which occurs once in it, is replaced by another one. */
export interface Mutant {
  /** Words with dashes, unique in the room. */
  readonly name: string;
  /** What is wrong, in a sentence. */
  readonly what: string;
  /** The path of the file, from the root of the project. */
  readonly file: string;
  readonly text: string;
  readonly by: string;
  /** A word or a path that the excerpt or the description of the failing case must contain. */
  readonly names: string;
  /** The subject of the commit that mended this bug, if the project had it. */
  readonly mended?: string;
}

/** A mutant and its room. */
export interface Placed extends Mutant {
  readonly room: Room;
}

/** How a mutant is called on the command line and in tables. */
export function idOf({ room, name }: Placed): string {
  return `${room}/${name}`;
}

/**
 * The text of the file with the bug.
 *
 * @throws {Error} if the text to replace does not occur exactly once
 */
export function planted(mutant: Placed, content: string): string {
  const parts = content.split(mutant.text);
  if (parts.length !== 2) {
    const count = parts.length - 1;
    throw new Error(
      `${idOf(mutant)}: its text is ${count} times in ${mutant.file}, not once (change ` +
        `scripts/mutants/list/${mutant.room}.ts as the file was changed)`,
    );
  }
  return parts.join(mutant.by);
}
