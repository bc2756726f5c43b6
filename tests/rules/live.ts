/** Queries the installed qemu-img and qemu-io for the images of a case. */

import { digestFile, QemuImgPeer, runTool, type ToolResult } from "../../src/peers/mod.ts";
import type { CheckJson } from "../../src/image/mod.ts";
import type { Opening } from "../../src/rules/mod.ts";
import { PatchedSource } from "../../src/bytes/mod.ts";
import { versionOf } from "../live.ts";
import { writeImage } from "../qcow1/live.ts";
import type { CaseImage, Live, Question } from "../../corpus/cases/mod.ts";

/** The name of the image in its directory; what it names is relative to that. */
export const IMAGE = "image";
const CONTENT = "content";
/** Milliseconds for one call: some images are made to be slow. */
const TIMEOUT_MS = 60_000;
/** Versions before this one crash on an image that later ones reject. */
const CRASHES_BEFORE = 10;

/** What qemu says of an image. What it was not asked is absent. */
export interface Answers {
  /** The openings that reject it. */
  readonly refused: Partial<Record<Opening, boolean>>;
  /** The counts of check; `null` where it gives none. */
  readonly check?: CheckJson | null;
  /** SHA-256 of the content; `null` where it cannot be read. */
  readonly content?: string | null;
  /** What it printed to standard error. */
  readonly said: { readonly info: string; readonly content: string };
}

/** Writes an image and the files beside it into a directory, without holes where that can be. */
export async function writeCase(
  directory: string,
  { image, stored, files }: CaseImage,
): Promise<void> {
  const path = `${directory}/${IMAGE}`;
  await writeImage(path, new PatchedSource(image, [], stored));
  if (stored !== image.size) await Deno.truncate(path, image.size);
  for (const [name, source] of Object.entries(files)) {
    await writeImage(`${directory}/${name}`, source);
  }
}

/** The format that qemu finds an image to have. */
export async function probedFormat(directory: string): Promise<string | undefined> {
  const probe = await new QemuImgPeer().probe({ path: IMAGE, directory });
  return probe.outcome === "accepted" ? probe.value.format : undefined;
}

/** Asks everything of `questions`, the writable opening last: it may change the image. */
export async function askQemu(
  directory: string,
  questions: readonly Question[],
  live: Live = {},
): Promise<Answers> {
  const refused: Partial<Record<Opening, boolean>> = {};
  const said = { info: "", content: "" };
  let answers: Answers = { refused, said };
  if (questions.includes("info")) {
    const info = await run(directory, ["qemu-img", "info", "-f", "qcow2", IMAGE]);
    refused.info = live.infoCrashes && crashedAsExpected(info) || failed(info);
    said.info = info.stderr;
  }
  if (questions.includes("read")) {
    const open = ["qemu-io", "-r", "-f", "qcow2", "-c", "quit", IMAGE];
    refused.read = failed(await run(directory, open));
  }
  if (questions.includes("check")) answers = { ...answers, check: await checkOf(directory) };
  if (questions.includes("content")) {
    const convert = ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", IMAGE, CONTENT];
    const result = await run(directory, convert);
    said.content = result.stderr;
    const content = failed(result) ? null : digestFile(`${directory}/${CONTENT}`).sha256;
    answers = { ...answers, content };
  }
  if (questions.includes("write")) {
    refused.write = failed(await run(directory, ["qemu-io", "-f", "qcow2", "-c", "quit", IMAGE]));
  }
  return answers;
}

function run(directory: string, command: readonly string[]): Promise<ToolResult> {
  return runTool(command, { directory, timeoutMs: TIMEOUT_MS });
}

function crashedAsExpected({ end }: ToolResult): boolean {
  return end.kind === "crashed" && Number.parseInt(versionOf("qemu-img")) < CRASHES_BEFORE;
}

/** Whether a tool rejected the image. */
function failed({ end, stderr }: ToolResult): boolean {
  if (end.kind === "exited") return end.code !== 0;
  throw new Error(`Cannot take ${JSON.stringify(end)} for an answer: ${stderr}`);
}

async function checkOf(directory: string): Promise<CheckJson | null> {
  const peer = new QemuImgPeer({ timeoutMs: TIMEOUT_MS });
  const check = await peer.check({ path: IMAGE, format: "qcow2", directory });
  if (check.outcome === "rejected") return null;
  if (check.outcome !== "accepted" || check.value.counts === undefined) {
    throw new Error(`Cannot take ${check.outcome} for an answer of check`);
  }
  const { corruptions = 0, leaks = 0, checkErrors = 0 } = check.value.counts;
  return { corruptions, leaks, "check-errors": checkErrors };
}

/** Whether a write by qemu-io failed and left the image marked as corrupt. */
export async function writeRefused(
  directory: string,
  command: string,
  live: Live,
): Promise<{ refused: boolean; marked: boolean }> {
  const file = { driver: "file", filename: IMAGE };
  const overlap = live.overlapCheck === undefined ? {} : { "overlap-check": live.overlapCheck };
  const image = `json:${JSON.stringify({ driver: "qcow2", ...overlap, file })}`;
  const result = await run(directory, ["qemu-io", "-c", command, "-c", "flush", image]);
  const header = await Deno.readFile(`${directory}/${IMAGE}`);
  return { refused: failed(result), marked: ((header[INCOMPATIBLE_LAST] ?? 0) & CORRUPT) !== 0 };
}

/** The last byte of the incompatible feature bits, and the corrupt bit in it. */
const INCOMPATIBLE_LAST = 79;
const CORRUPT = 2;
