import type { Patch } from "../bytes/mod.ts";

/** Facts about a damaged image that a person knows, and that its file may no longer contain. */
export interface KnownFacts {
  /** Virtual size in bytes. */
  readonly virtualSize?: number;
  /** Backing file, with its format if it is known. */
  readonly backing?: { readonly name: string; readonly format?: string };
  /** Name of the external data file. */
  readonly dataFile?: string;
  /** The L2 entries of qcow2 are extended, which those of compressed clusters do not show. */
  readonly extendedL2?: boolean;
  /** The content is encrypted with the legacy AES, of which a file has no sign. */
  readonly aes?: boolean;
}

/** How sure a reconstruction is: all metadata fits, most of it does, or only some. */
export type Confidence = "certain" | "likely" | "possible";

/** A value that belongs into a header. */
export interface ProposedField {
  /** Name of the field in the specification. */
  readonly name: string;
  /** The proposed value. */
  readonly value: number | string;
  /** The value is a byte offset. */
  readonly isOffset?: true;
  /** What the value is based on, or its range. */
  readonly note?: string;
}

/** An image that a file once was, as far as its remains show. */
export interface Remains {
  /** Name of the format. */
  readonly format: string;
  /** How sure it is. */
  readonly confidence: Confidence;
  /** What was found, one sentence each. */
  readonly evidence: readonly string[];
  /** The fields of the header. */
  readonly fields: readonly ProposedField[];
  /** What the file does not show, one sentence each. */
  readonly unknown: readonly string[];
  /** The bytes that turn a copy of the file into an image again. */
  readonly repair?: readonly Patch[];
}
