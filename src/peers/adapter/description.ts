import type { Json } from "../../format/mod.ts";
import { formatNames, formatNamesOf } from "../../formats.ts";
import type { Members } from "../answers.ts";
import {
  type ChangeOperation,
  type Operation,
  type PeerDescription,
  PeerError,
  type Taken,
} from "../peer.ts";
import { CHANGE_OPERATIONS } from "./change.ts";
import { PROTOCOL } from "./request.ts";

const TAKEN: readonly Taken[] = ["passphrases", "header"];
/** The formats and operations of an adapter that does not name its own. */
const FORMATS: readonly string[] = formatNamesOf("qemu-img");
const OPERATIONS: readonly Operation[] = ["probe", "info", "map", "check", "digest"];
/** Those that came later: only an adapter that names them is queried for them. */
const MORE_OPERATIONS: readonly Operation[] = ["unlock"];

/**
 * An adapter as it describes itself.
 *
 * @param name used where it does not name itself
 * @throws {PeerError} for another version of the protocol
 */
export function descriptionIn(described: Members, name: string): PeerDescription {
  const { protocol = PROTOCOL } = described;
  if (protocol !== PROTOCOL) {
    const theirs = JSON.stringify(protocol);
    throw new PeerError(
      `The adapter uses version ${theirs} of the protocol (supported: ${PROTOCOL})`,
    );
  }
  const text = (key: string): string | undefined => {
    const value = described[key];
    return typeof value === "string" ? value : undefined;
  };
  const { takes, formats, operations, features, concurrent } = described;
  const [language, homepage] = [text("language"), text("homepage")];
  return {
    name: text("name") ?? name,
    version: text("version") ?? "unknown",
    operations: chosen(operations, [...OPERATIONS, ...MORE_OPERATIONS]) ?? OPERATIONS,
    formats: chosen(formats, formatNames) ?? FORMATS,
    takes: chosen(takes, TAKEN) ?? [],
    ...(language === undefined ? {} : { language }),
    ...(homepage === undefined ? {} : { homepage }),
    ...textsIn(features),
    ...changesIn(chosen(operations, CHANGE_OPERATIONS)),
    ...(Number.isSafeInteger(concurrent) && Number(concurrent) > 1
      ? { concurrent: Number(concurrent) }
      : {}),
  };
}

/** Those of a list that an adapter names; nothing where it names none. */
function chosen<T extends string>(named: Json | undefined, all: readonly T[]): T[] | undefined {
  return Array.isArray(named) ? all.filter((it) => named.includes(it)) : undefined;
}

function changesIn(
  changes: readonly ChangeOperation[] = [],
): { readonly changes?: readonly ChangeOperation[] } {
  return changes.length === 0 ? {} : { changes };
}

/** The features of an adapter that lists them. */
function textsIn(features: Json | undefined): { readonly features?: readonly string[] } {
  if (!Array.isArray(features)) return {};
  return { features: features.filter((it) => typeof it === "string") };
}
