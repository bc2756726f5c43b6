import { type ByteSource, hex } from "../../bytes/mod.ts";
import type { Confidence, KnownFacts, ProposedField, Remains } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import { decodeQcow2 } from "../decode.ts";
import { features, header as headerStruct, QCOW_MAGIC } from "../structures.ts";
import { type Evaluation, firstCluster, isExact } from "./candidate.ts";
import { findExtensions, type LostExtensions } from "./extensions.ts";
import { storedHeader } from "./stored_header.ts";
import { USUAL_ORDER, usualReftable } from "./reftables.ts";
import { type Search, searchTables } from "./search.ts";
import { isDoubtful, sizeOf, type VirtualSize } from "./size.ts";
import { type Survey, survey } from "./survey.ts";

/** Of two candidates, one that explains less than this share of the other is not as good. */
const SHARE_EQUAL = 0.8;
/** A candidate that scores less is no sign, unless its refcounts agree with it. */
const SCORE_MIN = 0.5;
/** That of a candidate that explains the file except for a few clusters; 2 is the best. */
const SCORE_LIKELY = 1.2;

/** What a file shows of a qcow2 image whose header is lost. */
export function scanQcow2(source: ByteSource, known: KnownFacts): readonly Remains[] {
  const stored = storedHeader(source);
  if (stored?.confidence === "certain") return [stored];
  const search = searchTables(source, known);
  const [best] = search.evaluations;
  const report = best && new Report(source, search, best);
  // Of an image with a header, only tables that explain everything are another answer.
  const isAnswer = stored === undefined ? report?.isWorthAWord : best && isExact(best);
  return [
    ...(stored === undefined ? [] : [stored]),
    ...(report !== undefined && isAnswer === true ? [report.remains(known)] : []),
  ];
}

/** A refcount table that agrees with itself, where new images have theirs. */
export function hintOfQcow2(source: ByteSource): string | undefined {
  if (decodeQcow2(source).header.magic === QCOW_MAGIC) return undefined;
  const found = usualReftable(source);
  if (found === undefined) return undefined;
  return `The file contains a refcount table of qcow2 at ${hex(found.offset)}`;
}

class Report {
  readonly #source: ByteSource;
  readonly #search: Search;
  readonly #best: Evaluation;
  readonly #survey: Survey;
  readonly #extensions: LostExtensions | undefined;

  constructor(source: ByteSource, search: Search, best: Evaluation) {
    this.#source = source;
    this.#search = search;
    this.#best = best;
    this.#survey = survey(source, best);
    this.#extensions = findExtensions(source);
  }

  /** Tables of other formats look alike, but have no copied flags. */
  get isWorthAWord(): boolean {
    const { score, candidate } = this.#best;
    const { reftable, snapshots } = candidate;
    const agrees = reftable.agreement === 1;
    if (this.#survey.entries === 0) return agrees && reftable.refcountOrder === USUAL_ORDER;
    const signs = this.#survey.copied || snapshots !== undefined;
    return signs && (agrees || score >= SCORE_MIN);
  }

  remains(known: KnownFacts): Remains {
    const facts = { ...this.#extensions, ...known };
    const size = sizeOf(this.#source, this.#best, { survey: this.#survey, known: facts });
    const { compression = "deflate" } = this.#survey;
    const bytes = firstCluster(this.#best.candidate, {
      ...facts,
      size: BigInt(size.value),
      compression,
    });
    const named = !this.#best.candidate.dataFile || facts.dataFile !== undefined;
    return {
      format: "qcow2",
      confidence: this.#confidence(),
      evidence: this.#evidence(size),
      fields: this.#fields(bytes, size),
      unknown: this.#unknown(facts, size),
      ...(named ? { repair: [{ offset: 0, bytes }] } : {}),
    };
  }

  #confidence(): Confidence {
    const { evaluations } = this.#search;
    // An image without content, or with half of the clusters, leaves open what else is in the file.
    const { allocated, explained } = this.#best;
    const exact = evaluations.filter((other) =>
      isExact(other) && (other.allocated > 0 || allocated === 0) &&
      other.explained > SHARE_EQUAL * explained
    ).map(({ geometry }) => geometry.clusterSize);
    if (isExact(this.#best)) return new Set(exact).size === 1 ? "certain" : "likely";
    const { score, candidate } = this.#best;
    const agrees = candidate.reftable.agreement === 1 && this.#survey.entries > 0;
    return score >= SCORE_LIKELY && agrees ? "likely" : "possible";
  }

  #evidence({ sign }: VirtualSize): string[] {
    const { candidate, geometry, mismatches, corruptions } = this.#best;
    const { reftable, l1, snapshots, directory, luks } = candidate;
    const evidence = [
      `A refcount table is at ${hex(reftable.offset)}, with ` +
      `${
        counted(reftable.blocks.size, "refcount block")
      } of ${geometry.refcountBits}-bit refcounts ` +
      `for clusters of ${geometry.clusterSize} bytes`,
      l1.clusters === 0
        ? "No L1 table was found"
        : `An L1 table is at ${hex(l1.offset)}; its L2 tables have ` +
          counted(this.#survey.entries, "entry", "entries"),
    ];
    if (snapshots !== undefined) {
      evidence.push(
        `A table of ${counted(snapshots.count, "snapshot")} is at ${hex(snapshots.offset)}`,
      );
    }
    if (directory !== undefined) {
      evidence.push(
        `A directory of ${counted(directory.count, "bitmap")} is at ${hex(directory.offset)}`,
      );
    }
    if (luks !== undefined) evidence.push(`A LUKS header is at ${hex(luks.offset)}`);
    if (this.#extensions !== undefined) {
      evidence.push(`Header extensions are at ${hex(this.#extensions.offset)}`);
    }
    if (sign !== undefined) evidence.push(sign);
    if (this.#survey.compression !== undefined) {
      evidence.push(`There are clusters compressed with ${this.#survey.compression}`);
    }
    evidence.push(
      mismatches === 0
        ? "Every refcount is the number of references that were found"
        : `${counted(mismatches, "refcount")} differ from the number of references that were found`,
    );
    if (corruptions > 0) {
      evidence.push(`${counted(corruptions, "invalid table entry", "invalid table entries")}`);
    }
    return evidence;
  }

  /** The fields of the header that is to be written, as it decodes. */
  #fields(bytes: Uint8Array, size: VirtualSize): ProposedField[] {
    const { candidate, geometry } = this.#best;
    const head = decode(headerStruct, bytes);
    const offset = (name: string, value: number): ProposedField => ({
      name,
      value,
      isOffset: true,
    });
    const fields: ProposedField[] = [
      { name: "version", value: head.version, note: "version 2 reads the same without features" },
      { name: "cluster_bits", value: head.cluster_bits, note: `${geometry.clusterSize} bytes` },
      { name: "size", value: size.value, note: size.note },
      { name: "crypt_method", value: head.crypt_method },
      { name: "l1_size", value: head.l1_size, note: "as many as the table has room for" },
      offset("l1_table_offset", Number(head.l1_table_offset)),
      offset("refcount_table_offset", Number(head.refcount_table_offset)),
      { name: "refcount_table_clusters", value: head.refcount_table_clusters },
      { name: "nb_snapshots", value: head.nb_snapshots },
      offset("snapshots_offset", Number(head.snapshots_offset)),
      {
        name: "incompatible_features",
        value: Number(head.incompatible_features),
        note: featureNote(head.incompatible_features),
      },
      { name: "refcount_order", value: head.refcount_order, note: `${geometry.refcountBits} bits` },
      { name: "compression_type", value: head.compression_type },
    ];
    const { directory, luks } = candidate;
    if (directory !== undefined) {
      fields.push(
        { name: "nb_bitmaps", value: directory.count },
        offset("bitmap_directory_offset", directory.offset),
        { name: "bitmap_directory_size", value: directory.length },
      );
    }
    if (luks !== undefined) {
      fields.push(
        offset("encryption_header_pointer offset", luks.offset),
        { name: "encryption_header_pointer length", value: luks.length },
      );
    }
    return fields;
  }

  #unknown({ backing, dataFile, aes }: KnownFacts, { from, to }: VirtualSize): string[] {
    const { candidate } = this.#best;
    const unknown: string[] = [];
    if (from !== to) {
      unknown.push(`The virtual size: from ${from} to ${to} bytes (--virtual-size sets it)`);
    }
    if (backing === undefined) {
      unknown.push("The name of the backing file, if there was one (--backing sets it)");
    }
    if (candidate.dataFile && dataFile === undefined) {
      unknown.push("The name of the external data file (--data-file sets it)");
    }
    if (isDoubtful(this.#best, this.#survey)) {
      unknown.push(
        "Whether L2 entries are extended: all are at even places (--extended-l2 says that they are)",
      );
    }
    if (candidate.luks === undefined && aes !== true) {
      unknown.push("Whether the content is encrypted with the legacy AES (--aes says that it is)");
    }
    if (this.#search.cut) unknown.push("More candidates than were looked at");
    return unknown;
  }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function featureNote(value: bigint): string {
  const named = [
    [features.dataFile, "external data file"],
    [features.compressionType, "compression type"],
    [features.extendedL2, "extended L2 entries"],
  ] as const;
  const set = named.filter(([mask]) => (value & mask) !== 0n).map(([, name]) => name);
  return set.length === 0 ? "none" : set.join(", ");
}
