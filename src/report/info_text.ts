import { type Json, type LazyInfo, visible } from "../format/mod.ts";
import { inQemuOrder } from "./qemu_json.ts";
import { sizeText } from "./size_text.ts";

const INDENT = "    ";

type Members = { readonly [key: string]: Json };

/** `info` in the words of qemu-img's text for a person. */
export function infoText(info: LazyInfo): string {
  return [...infoLines(info)].join("\n");
}

/** The same line by line. */
export function* infoLines({ snapshots, ...rest }: LazyInfo): Generator<string> {
  const info = rest as Members & Pick<LazyInfo, "virtual-size" | "format">;
  const actual = info["actual-size"];
  yield* [
    `image: ${text(info["filename"])}`,
    `file format: ${info.format}`,
    `virtual size: ${sizeText(info["virtual-size"])} (${figure(info["virtual-size"])} bytes)`,
    `disk size: ${typeof actual === "number" ? sizeText(actual) : "unavailable"}`,
    ...(info["encrypted"] === true ? ["encrypted: yes"] : []),
    ...(info["cluster-size"] === undefined ? [] : [`cluster_size: ${info["cluster-size"]}`]),
    ...(info["dirty-flag"] === true ? ["cleanly shut down: no"] : []),
    ...backingLines(info),
  ];
  if (snapshots !== undefined) yield* snapshotLines(snapshots);
  yield* specificLines(info["format-specific"]);
}

function backingLines(info: Members): string[] {
  const name = info["backing-filename"];
  if (name === undefined) return [];
  const full = info["full-backing-filename"];
  const actual = full === undefined
    ? " (cannot determine actual path)"
    : full === name
    ? ""
    : ` (actual path: ${text(full)})`;
  const format = info["backing-filename-format"];
  return [
    `backing file: ${text(name)}${actual}`,
    ...(format === undefined ? [] : [`backing file format: ${text(format)}`]),
  ];
}

/** The snapshot list of qemu-img's text. */
export function* snapshotLines(snapshots: Iterable<Json>): Generator<string> {
  const row = (cells: readonly string[]): string => {
    const [id = "", name = "", size = "", date = "", clock = "", icount = ""] = cells;
    return `${id.padEnd(7)} ${name.padEnd(16)} ${size.padStart(8)} ${date.padStart(19)} ` +
      `${clock.padStart(15)} ${icount.padStart(10)}`;
  };
  yield "Snapshot list:";
  yield row(["ID", "TAG", "VM_SIZE", "DATE", "VM_CLOCK", "ICOUNT"]);
  for (const each of snapshots) {
    const snapshot = each as Members;
    yield row([
      text(snapshot["id"]),
      text(snapshot["name"]),
      sizeText(Number(snapshot["vm-state-size"])),
      dateText(Number(snapshot["date-sec"])),
      clockText(Number(snapshot["vm-clock-sec"]), Number(snapshot["vm-clock-nsec"])),
      snapshot["icount"] === undefined ? "--" : figure(Number(snapshot["icount"])),
    ]);
  }
}

/** Seconds since the Epoch as local time. */
function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits);
  return `${day.join("-")} ${time.join(":")}`;
}

function clockText(seconds: number, nanoseconds: number): string {
  const hours = String(Math.floor(seconds / 3600)).padStart(4, "0");
  const rest = [Math.floor(seconds / 60) % 60, seconds % 60].map(twoDigits).join(":");
  return `${hours}:${rest}.${String(Math.floor(nanoseconds / 1e6)).padStart(3, "0")}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function specificLines(specific: Json | undefined): string[] {
  const data = (specific as Members | undefined)?.["data"] as Members | undefined;
  if (data === undefined || Object.keys(data).length === 0) return [];
  return ["Format specific information:", ...memberLines(data, INDENT)];
}

function memberLines(members: Members, indent: string): string[] {
  return inQemuOrder(members).flatMap(([key, value]) =>
    labelled(key.replaceAll("-", " "), value, indent)
  );
}

function labelled(label: string, value: Json, indent: string): string[] {
  if (typeof value !== "object" || value === null) return [`${indent}${label}: ${text(value)}`];
  const inner = indent + INDENT;
  const lines = Array.isArray(value)
    ? value.flatMap((item, index) => labelled(`[${index}]`, item, inner))
    : memberLines(value as Members, inner);
  return [`${indent}${label}:`, ...lines];
}

function text(value: Json | undefined): string {
  return typeof value === "number" ? figure(value) : visible(String(value));
}

function figure(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}
