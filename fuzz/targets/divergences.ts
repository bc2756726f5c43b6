import type { Judgement } from "../../src/image/mod.ts";
import type { CipherSpec } from "../../src/luks1/mod.ts";
import { luksDivergences } from "./luks_divergences.ts";

/** One difference between the reference and a tool, as a target has seen it. */
export interface Observation {
  readonly tool: "qemu-img" | "cryptsetup" | "luksdeinfo";
  /** Which question was asked. */
  readonly question: "open" | "info" | "map" | "check" | "content" | "allocation" | "unlock";
  /** Version of the tool that answered. */
  readonly version: string;
  /** The image is compressed with zstd. */
  readonly zstd: boolean;
  /** What differs is the content of a compressed cluster of an image that was edited. */
  readonly damagedStream: boolean;
  readonly judgement: Judgement;
  /** How the tool's answer came out. */
  readonly outcome: string;
  /** What the tool said, where it has refused. */
  readonly said?: string;
  /** The payload of a LUKS volume is in another file than its header. */
  readonly detached?: boolean;
  /** How a LUKS volume is encrypted, by its header. */
  readonly spec?: CipherSpec;
  /** What it is about in the answer, where both have given one: `/slots/3/active`. */
  readonly path?: string;
}

/** A difference that is understood: which of the two is right, and where that stands. */
export interface Divergence {
  readonly name: string;
  /** Rule of the catalogue that it is about. */
  readonly rule: string;
  /** Why the two differ, and where that can be read. */
  readonly because: string;
  explains(observed: Observation): boolean;
}

/**
 * Every explained divergence. A run counts how often each was met; anything that none of them explains
 * is a failure.
 */
export const divergences: readonly Divergence[] = [
  {
    name: "zstd-before-1.5.6",
    rule: "qcow2.comp.zstd",
    because:
      "libzstd before 1.5.6 takes some malformed blocks that later ones refuse, and decodes some " +
      "of them to other bytes (zstd's CHANGELOG under v1.5.6 tells of corner cases of the decoder; of " +
      "40,000 damaged streams, 1.5.4 and 1.5.7 differ over 46). QEMU takes what the library that it is " +
      "linked with says; the reference takes what the library of its own runtime says.",
    explains: ({ zstd, damagedStream, question }) =>
      zstd && damagedStream && question === "content",
  },
  {
    name: "info-crash-without-luks-header",
    rule: "qcow2.crypt.luks-ext-present",
    because:
      "qemu-img 7.2.22 dies of a null pointer in `info` where crypt_method is LUKS and the " +
      "encryption header pointer is missing; 10.0.13 and 11.1.3 refuse the image (block/qcow2.c, " +
      "qcow2_do_open; tests/qemu-iotests/tests/qcow2-encryption).",
    explains: ({ tool, question, version, outcome, judgement }) =>
      tool === "qemu-img" && question === "info" && outcome === "crashed" &&
      Number.parseInt(version) < 10 &&
      judgement.findings.some((finding) => finding.rule === "qcow2.crypt.luks-ext-present"),
  },
  ...luksDivergences,
];

/** The divergence that explains an observation, if one does. */
export function explanationOf(observed: Observation): Divergence | undefined {
  return divergences.find((divergence) => divergence.explains(observed));
}
