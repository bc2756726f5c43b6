import type { ByteSource } from "../../bytes/mod.ts";
import {
  type Anatomy,
  AnatomyCollector,
  type AnatomyOptions,
  type AnatomyRow,
  eachTime,
  type ListedRows,
  structRows,
} from "../../format/mod.ts";
import type { Metadata } from "../metadata.ts";
import { chooseCopy } from "../copies.ts";
import { decodeLuks2, type HeaderCopy } from "../decode.ts";
import { BINARY_BYTES } from "../geometry.ts";
import { memberAt } from "../json/members.ts";
import type { JsonNode } from "../json/value.ts";
import { header as headerStruct } from "../structures.ts";
import { isBackup } from "../segments/segments.ts";

/** Maximum number of bytes of a value in a row. */
const SHOWN_BYTES = 1024;
/** Maximum number of characters of a value that are shown. */
const SHOWN_LETTERS = 80;

/**
 * The anatomy of a volume: both copies of the header with their fields, their JSON values, and the use
 * of each part of the file. Works for any input; nothing is decrypted.
 */
export function luks2Anatomy(source: ByteSource, options: AnatomyOptions): Anatomy {
  const collector = new AnatomyCollector(options, source);
  const copies = decodeLuks2(source);
  const { metadata } = chooseCopy(copies);
  for (const copy of [copies.primary, copies.secondary]) addCopy(copy, source, collector);
  if (metadata !== undefined) {
    claimKeyslots(metadata, collector);
    claimSegments(metadata, source, collector);
  } else {
    collector.unknown("No copy of the header is valid: the rest of the file is not shown");
  }
  return collector.done();
}

function addCopy(copy: HeaderCopy, source: ByteSource, collector: AnatomyCollector): void {
  const { name, offset, recognised, area } = copy;
  if (name === "secondary" && offset >= source.size) return;
  const place = { path: `/${name}`, offset, length: headerStruct.size };
  const rows = structRows(headerStruct, source, place);
  collector.part({ ...place, title: `${name} binary header, ${stateOf(copy)}`, rows });
  const length = recognised ? BINARY_BYTES + area.length : BINARY_BYTES;
  collector.claim({ path: `/${name}`, offset, length, kind: "header" });
  if (!recognised) return;
  const at = { path: `/${name}/json`, offset: offset + BINARY_BYTES, length: area.length };
  collector.part({ ...at, title: `${name} JSON area`, ...jsonRows(copy, collector.options) });
}

function stateOf({ recognised, complete, intact }: HeaderCopy): string {
  if (!recognised) return "not recognised";
  if (!complete) return "truncated";
  return intact === true ? "with a correct checksum" : "with a wrong checksum";
}

/** The values of a JSON area as rows, up to the limit, and all marked ones. */
function jsonRows(copy: HeaderCopy, { rows: most, marks }: AnatomyOptions): ListedRows {
  const root = copy.json?.root;
  if (root === undefined) return { rows: [], omitted: 0 };
  const all = () => leavesOf(root, "");
  if (most === Infinity) return { rows: eachTime(() => all().map(rowIn(copy))), omitted: 0 };
  const rowOf = rowIn(copy);
  const rows: AnatomyRow[] = [];
  let omitted = 0;
  for (const leaf of all()) {
    const { start, end } = leaf.node;
    const listed = rows.length < most || marks.within(areaStart(copy) + start, end - start);
    if (listed) rows.push(rowOf(leaf));
    else omitted++;
  }
  return { rows, omitted };
}

interface Leaf {
  readonly node: JsonNode;
  readonly path: string;
}

function areaStart({ offset }: HeaderCopy): number {
  return offset + BINARY_BYTES;
}

function rowIn(copy: HeaderCopy): (leaf: Leaf) => AnatomyRow {
  return ({ node: { start, end }, path }) => {
    const bytes = copy.area.subarray(start, Math.min(end, start + SHOWN_BYTES));
    return {
      offset: areaStart(copy) + start,
      length: end - start,
      bytes,
      path: `/${copy.name}/json${path}`,
      value: shownValue(bytes),
      doc: meaning(path),
    };
  };
}

function* leavesOf(node: JsonNode, path: string): Generator<Leaf> {
  if (node.kind === "object") {
    for (const [name, value] of node.members) yield* leavesOf(value, `${path}/${name}`);
  } else if (node.kind === "array") {
    for (const [index, item] of node.items.entries()) yield* leavesOf(item, `${path}/${index}`);
  } else {
    yield { node, path };
  }
}

function shownValue(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return text.length > SHOWN_LETTERS ? `${text.slice(0, SHOWN_LETTERS)}…` : text;
}

function meaning(path: string): string {
  const described = memberAt(path);
  if (described === undefined) return "Not described by the format.";
  const unit = "unit" in described ? `, in ${described.unit}` : "";
  return described.doc.replace(/\.$/, `${unit}.`);
}

function claimKeyslots({ copy, json }: Metadata, collector: AnatomyCollector): void {
  for (const { name, type, area } of json.keyslots) {
    collector.claim({
      path: `/${copy.name}/json/keyslots/${name}/area`,
      offset: Number(area.offset),
      length: Number(area.size),
      kind: "table",
      says: `area of key slot ${name}, ${type}`,
    });
  }
}

function claimSegments(
  { copy, json }: Metadata,
  source: ByteSource,
  collector: AnatomyCollector,
): void {
  for (const segment of json.segments) {
    const { name, type, offset, size, flags } = segment;
    // A segment that starts at 0 is in another file.
    if (isBackup(segment) || offset === 0n || offset >= BigInt(source.size)) continue;
    const start = Number(offset);
    const length = Math.min(source.size - start, size === undefined ? Infinity : Number(size));
    const what = type === "crypt" ? "encrypted data" : `data of type ${JSON.stringify(type)}`;
    const says = flags.includes("in-reencryption") ? `${what}, in reencryption` : what;
    const path = `/${copy.name}/json/segments/${name}`;
    collector.claim({ path, offset: start, length, kind: "data", says });
  }
}
