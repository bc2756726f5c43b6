/**
 * The list of formats, and what follows from it. Nothing else enumerates them.
 *
 * @module
 */

import { foreignFormats } from "./foreign/mod.ts";
import { blockRules, type Format, type Tool } from "./format/mod.ts";
import { luks1Format } from "./luks1/mod.ts";
import { luks2Format } from "./luks2/mod.ts";
import { qcow1Format } from "./qcow1/mod.ts";
import { qcow2Format } from "./qcow2/mod.ts";
import { rawFormat } from "./raw/mod.ts";
import type { Rule } from "./rules/mod.ts";

const list = [qcow1Format, qcow2Format, luks1Format, luks2Format, rawFormat] as const;

/** A format of the list. */
export type ListedFormat = (typeof list)[number];

/** The name of a format of the list. */
export type FormatName = ListedFormat["name"];

/** What a new image of a format is made from; `never` for a format that cannot be made. */
export type CreationOf<F> = F extends Format<infer _Model, infer Name, infer Creation>
  ? [Creation] extends [never] ? never : { readonly format: Name } & Creation
  : never;

/** The formats. */
export const formats: readonly Format[] = Object.freeze(list);

/** The formats that are recognised and not read. They are in no other list. */
export { foreignFormats };

/** The names of the formats, as a person is told of them: raw comes first. */
export const formatNames: readonly string[] = Object.freeze(
  formats.map(({ name }) => name).toSorted((a, b) => +(b === "raw") - +(a === "raw")),
);

/** The names of the formats that a public tool knows. */
export function formatNamesOf(tool: Tool): readonly string[] {
  return formatNames.filter((name) => formatNamed(name)?.tools.includes(tool));
}

/** The format of a name, or `undefined`. */
export function formatNamed(name: string, among: readonly Format[] = formats): Format | undefined {
  return among.find((format) => format.name === name);
}

/** The format that a person calls by its name or by another one, or `undefined`. */
export function formatCalled(text: string): Format | undefined {
  return formats.find(({ name, aliases }) => name === text || aliases.includes(text));
}

/**
 * A format, or the one of a name.
 *
 * @throws {TypeError} when there is no format of that name
 */
export function formatOf(
  format: Format | string,
  among: readonly Format[] = formats,
): Format {
  if (typeof format !== "string") return format;
  const named = formatNamed(format, among);
  if (named !== undefined) return named;
  throw new TypeError(`unsupported format '${format}' (supported: ${formatNames.join(", ")})`);
}

/** Every rule, in the order in which an image is judged. */
export const catalogue: readonly Rule[] = Object.freeze(
  [blockRules, ...formats.map(({ rules }) => rules)].flat(),
);
