import { createHash } from "node:crypto";
import { roundUp, SECTOR, utf8 } from "../../src/bytes/mod.ts";
import { AccessError } from "../../src/format/mod.ts";
import {
  type Expectation,
  expectationOf,
  type ExpectationQuery,
  expectedUnlock,
  featuresOf,
} from "../../src/expect/mod.ts";
import {
  digestOf,
  infoOf,
  judgeImage,
  type Judgement,
  layersOf,
  mapOf,
  type OpenedImage,
  openRefusal,
} from "../../src/image/mod.ts";
import {
  checkClaims,
  checkOutcome,
  type CheckReport,
  compareJson,
  type Difference,
  digestClaims,
  type DigestReport,
  infoClaims,
  type InfoReport,
  mapClaims,
  type MapEntry,
  type Outcome,
} from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import type { CaseFile } from "../engine/mod.ts";
import {
  allPassphrases,
  diskOf,
  filesOf,
  type Kit,
  openWith,
  passphrasesOf,
} from "../formats/mod.ts";
import type { ExpectedDisk } from "../generate/mod.ts";
import { kitOf, type PeerCase } from "./case.ts";
import type { PeerQuestion } from "./facts.ts";

/** What is known of a case; each part is found out when it is first needed. */
export class CaseView {
  readonly value: PeerCase;
  readonly kit: Kit;
  readonly files: readonly CaseFile[];
  /** Whether the content is that of the model. */
  readonly #isModelled: boolean;
  #passphrases: readonly string[] | undefined;
  #opened: OpenedImage | undefined;
  #keyless: OpenedImage | undefined;
  #disk: ExpectedDisk | undefined;
  #judgement: Judgement | undefined;
  #features: readonly string[] | undefined;
  #expected: ((query: ExpectationQuery) => Expectation) | undefined;

  /** @param files other files than those of the model, which a tool has made: it is like them */
  constructor(value: PeerCase, files?: readonly CaseFile[]) {
    this.value = value;
    this.kit = kitOf(value);
    this.files = files ?? filesOf(this.kit, value.model, value.edits);
    this.#isModelled = files === undefined && value.edits.length === 0;
  }

  /** The passphrases that the image is opened with. */
  get passphrases(): readonly string[] {
    return this.#passphrases ??= passphrasesOf(this.kit, this.value.model, this.value.key);
  }

  /** The image as the reference opens it. */
  get opened(): OpenedImage {
    return this.#opened ??= openWith(this.kit, this.files, this.passphrases);
  }

  /** The same without passphrases. */
  get keyless(): OpenedImage {
    return this.#keyless ??= this.passphrases.length === 0
      ? this.opened
      : openWith(this.kit, this.files);
  }

  get judgement(): Judgement {
    return this.#judgement ??= judgeImage(this.opened);
  }

  /** The rules that it breaks. */
  get rules(): RuleId[] {
    return this.judgement.findings.map(({ rule }) => rule);
  }

  /** The content by the model; `undefined` for an image that was edited or made otherwise. */
  get disk(): ExpectedDisk | undefined {
    if (!this.#isModelled) return undefined;
    return this.#disk ??= diskOf(this.kit, this.value.model);
  }

  /** The features that reading the image requires. */
  get features(): readonly string[] {
    return this.#features ??= featuresOf(this.opened);
  }

  /** Whether the image is not opened with its passphrase. */
  get isLocked(): boolean {
    return this.value.key !== "right" && layersOf(this.opened).some(({ encrypted }) => encrypted);
  }

  /** What the format expects of an answer. */
  expectation(question: PeerQuestion): Expectation {
    if (question.operation === "unlock") {
      return expectedUnlock(this.keyless, this.#opens(question.passphrase ?? ""));
    }
    if (this.opened.incomplete && this.value.edits.length > 0) return UNDECIDED;
    this.#expected ??= expectationOf(this.opened);
    const { operation, scope: { snapshot, range } = {} } = question;
    const expected = snapshot !== undefined
      ? this.#expected({ use: "snapshot", snapshot })
      : this.#expected({ use: operation, ...(range === undefined ? {} : { range }) });
    return this.#readsDamage(question, expected) ? DAMAGED : expected;
  }

  /**
   * Whether the reference reads a compressed cluster that was changed. It may do so, as QEMU does, where
   * the stream has no end, and a decompressor need not.
   */
  #readsDamage({ operation }: PeerQuestion, { verdict }: Expectation): boolean {
    return this.value.edits.length > 0 && operation === "digest" && verdict === "must-accept" &&
      this.features.includes("compressed");
  }

  /**
   * Where an accepted answer differs from the right one; expected left. Nothing if the reference does
   * not read the image.
   */
  differences(question: PeerQuestion, value: unknown): Difference[] {
    try {
      return this.#differences(question, value);
    } catch (error) {
      if (error instanceof AccessError) return [];
      throw error;
    }
  }

  #differences(question: PeerQuestion, value: unknown): Difference[] {
    switch (question.operation) {
      case "probe":
        return compareJson({ format: this.opened.format }, { format: formatIn(value) });
      case "info":
        // Of an image that the reference rejects, it has no information.
        return openRefusal(this.keyless, "info") !== undefined
          ? []
          : infoClaims(infoOf(this.keyless), value as InfoReport);
      case "map":
        return this.#mapDifferences(value as readonly MapEntry[]);
      case "check":
        return this.#checkDifferences(value as CheckReport);
      case "digest":
        return this.#digestDifferences(question, value as DigestReport);
      case "unlock":
        return [];
    }
  }

  #checkDifferences(value: CheckReport): Difference[] {
    const right: Outcome<CheckReport> = checkOutcome(this.opened);
    return right.outcome === "accepted" ? checkClaims(right.value, value) : [];
  }

  #mapDifferences(value: readonly MapEntry[]): Difference[] {
    if (this.opened.layer === undefined) return [];
    const { entries, error } = mapOf(this.opened);
    return error === undefined ? mapClaims(entries, value, (range) => this.#holdsZeros(range)) : [];
  }

  /** Whether a range reads as zeros. Nobody is blamed for knowing that of data. */
  #holdsZeros({ start, length }: { start: number; length: number }): boolean {
    if (length > DIGEST_MAX || start % SECTOR !== 0) return false;
    try {
      const sha256 = digestOf(layersOf(this.opened), { from: start, to: start + length });
      return sha256 === createHash("sha256").update(new Uint8Array(length)).digest("hex");
    } catch (error) {
      if (error instanceof AccessError) return false;
      throw error;
    }
  }

  #digestDifferences(
    { scope: { snapshot, range } = {} }: PeerQuestion,
    value: DigestReport,
  ): Difference[] {
    const disk = this.isLocked
      ? undefined
      : snapshot === undefined
      ? this.disk
      : this.#snapshotDisk(snapshot);
    if (disk !== undefined) {
      const { start, length } = range ?? { start: 0, length: disk.size };
      return digestClaims({ sha256: contentDigest(disk, start, length), length }, value);
    }
    const layers = layersOf(this.opened, snapshot) ?? [];
    const { start, length } = range ?? { start: 0, length: layers[0]?.virtualSize ?? 0 };
    if (layers.length === 0 || length > DIGEST_MAX) return [];
    const sha256 = digestOf(layers, { from: start, to: start + length });
    return digestClaims({ sha256, length }, value);
  }

  #snapshotDisk(id: string): ExpectedDisk | undefined {
    if (!this.#isModelled) return undefined;
    for (const [known, disk] of this.kit.expected?.views?.(this.value.model) ?? []) {
      if (known === id) return disk;
    }
    return undefined;
  }

  /** Whether a passphrase opens a key slot: by the model, or by the reference after edits. */
  #opens(passphrase: string): boolean {
    if (this.value.edits.length === 0) {
      return allPassphrases(this.kit, this.value.model).includes(passphrase);
    }
    const { source, header, definition: { keys } } = this.keyless;
    const key = keys?.unlock?.(header ?? source, utf8(passphrase));
    return key !== undefined && "slot" in key;
  }
}

/** The image names a file that is not part of the case. */
const UNDECIDED: Expectation = { verdict: "either", reason: "unknown", anyAnswer: true };

/** It may be rejected. Who accepts it reads what the reference reads. */
const DAMAGED: Expectation = { verdict: "either", reason: "habit" };

function formatIn(value: unknown): string {
  return (value as { readonly format: string }).format;
}

const CHUNK = 2 ** 18;
/** Longer content is not compared. */
const DIGEST_MAX = 2 ** 26;

/** SHA-256 of a part of a disk. */
function contentDigest(disk: ExpectedDisk, start: number, length: number): string {
  const hash = createHash("sha256");
  const end = start + length;
  for (let at = start; at < end; at += CHUNK) {
    // Whole sectors are read, and the last one is cut.
    const wanted = Math.min(CHUNK, end - at);
    const bytes = disk.read(at, roundUp(wanted, SECTOR));
    hash.update(bytes.length === wanted ? bytes : bytes.subarray(0, wanted));
  }
  return hash.digest("hex");
}
