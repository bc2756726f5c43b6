import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { print, readKnown, writeKnown, writeReportFile, writeReports } from "../../src/cli/mod.ts";
import {
  findingLines,
  type KnownFinding,
  type PeerResult,
  type ReportFile,
} from "../../src/conformance/mod.ts";
import type { DossierFile, LedgerEntry, Summary } from "../engine/mod.ts";
import {
  findingsOf,
  folderOf,
  type FuzzFinding,
  ledgerOf,
  notMetIn,
  type PeerUnderTest,
  picturesOf,
  recreated,
} from "../peer/mod.ts";
import { emit } from "./json_lines.ts";

/** How the findings about implementations are reported. */
export interface FindingOptions {
  /** The file of known findings. */
  readonly known?: string | undefined;
  /** Where the known findings and the new ones are written. */
  readonly writeKnown?: string | undefined;
  /** The parent of the folders of findings. */
  readonly out: string;
  /** Findings that can be used for an attack are counted, and not shown. */
  readonly embargo: boolean;
  readonly json: boolean;
  /** Reports about all implementations. */
  readonly reports: readonly ReportFile[];
}

/** The findings about implementations: what is known of them before a run, and the report after it. */
export class Findings {
  readonly ledger;
  readonly #options: FindingOptions;
  readonly #known: readonly KnownFinding[];
  readonly #slugOf: (entry: LedgerEntry) => string | undefined;
  readonly #several: boolean;
  readonly #peers: readonly PeerUnderTest[];
  readonly #started = Date.now();

  /** @throws {UsageError} when the file of known findings cannot be used */
  constructor(peers: readonly PeerUnderTest[], options: FindingOptions) {
    this.#options = options;
    this.#known = options.known === undefined ? [] : readKnown(options.known);
    this.#several = peers.length > 1;
    this.#peers = peers;
    const { ledger, slugOf } = ledgerOf(this.#known, peers.map(({ text }) => text));
    this.ledger = ledger;
    this.#slugOf = slugOf;
  }

  /**
   * Reports the findings of a run, and writes a folder for each of them.
   *
   * @throws {UsageError} when a file cannot be written
   */
  async report(summary: Summary): Promise<void> {
    const { json, embargo, writeKnown: path } = this.#options;
    const all = findingsOf(summary, this.#started);
    const shown = all.filter(({ finding }) => !embargo || !finding.securityRelevant);
    for (const found of shown) {
      const folder = await this.#write(found);
      if (json) emit("finding", { peer: found.peer, ...found.finding, facts: found.facts, folder });
      else printFinding(found, folder);
    }
    const hidden = all.length - shown.length;
    if (json) emit("findings", { new: all.length, embargoed: hidden });
    else if (hidden > 0) print(`${hidden} more can be used for an attack (--embargo)`);
    this.#reportKnown(summary);
    this.#writeReports(all, summary);
    if (path !== undefined) writeKnown(path, this.#known, all.map(({ finding }) => finding));
  }

  /** The same reports as `validate` writes; there are no features to count in random images. */
  #writeReports(all: readonly FuzzFinding[], summary: Summary): void {
    const { counts: { cases }, seed } = summary;
    const notMet = notMetIn(summary, this.#known, this.#slugOf);
    const peers = this.#peers.map(({ text, description: { name, version } }): PeerResult => {
      const findings = all.filter(({ peer }) => peer === text).map(({ finding }) => finding);
      const counts = { images: cases, questions: cases, unsupported: 0 };
      return { name, version, ...counts, findings, notMet, lacking: {}, skipped: [], features: [] };
    });
    const when = new Date(this.#started).toISOString();
    const named = this.#peers.map(({ text }) => ` --peer '${text}'`).join("");
    const command = `deno task fuzz${named} --seed ${seed}`;
    const { reports: files, embargo } = this.#options;
    const report = { version: config.version, when, command, peers };
    const byImage = new Map(all.map((found) => [found.finding.smallest.image, found]));
    const pictures = (image: string) => {
      const found = byImage.get(image);
      return found === undefined ? [] : picturesOf(found);
    };
    writeReports(report, { files, embargo, pictures });
  }

  #reportKnown(summary: Summary): void {
    const notMet = notMetIn(summary, this.#known, this.#slugOf);
    for (const known of this.#known) {
      const isMet = !notMet.includes(known);
      if (this.#options.json) emit("known", { ...known, met: isMet });
      else print(`${isMet ? "known" : "known, not met"}: ${known.slug} (${known.reason})`);
    }
  }

  async #write(found: FuzzFinding): Promise<string> {
    const own = found.peer.replaceAll(/[^\w.+-]+/g, "-");
    const folder = join(this.#options.out, ...(this.#several ? [own] : []), found.finding.slug);
    mkdirSync(folder, { recursive: true });
    const under = this.#peers.find(({ text }) => text === found.peer);
    const like = under === undefined ? undefined : await recreated(found, under);
    const { texts, files } = folderOf(found, like);
    for (const [name, text] of Object.entries(texts)) writeReportFile(join(folder, name), text);
    for (const file of files) {
      if (!file.name.includes("/") && file.size <= WRITTEN_MAX) writeSparse(folder, file);
    }
    return folder;
  }
}

/** Longer files are in the script alone. */
const WRITTEN_MAX = 2 ** 30;

function writeSparse(folder: string, { name, size, extents }: DossierFile): void {
  const file = openSync(join(folder, name), "w");
  try {
    ftruncateSync(file, size);
    for (const { offset, bytes } of extents) {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(file, bytes, at, bytes.length - at, offset + at);
      }
    }
  } finally {
    closeSync(file);
  }
}

function printFinding({ finding, peer }: FuzzFinding, folder: string): void {
  const marks = finding.securityRelevant ? [`  security: it can be used for an attack`] : [];
  print(
    [...findingLines(finding), ...marks, `  peer: ${peer}`, `  folder: ${folder}`, ""].join("\n"),
  );
}
