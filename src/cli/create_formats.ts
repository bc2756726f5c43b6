import type { Creation } from "../image/create/mod.ts";
import type { RawCreation } from "../raw/mod.ts";
import { LUKS_OPTIONS, luksOptions } from "./create_luks.ts";
import type { FormatOptions } from "./create_options.ts";
import { mustSuitQemu } from "./passphrases.ts";
import { UsageError } from "./verb.ts";

const ENCRYPT = "encrypt.";
const ENCRYPTION = ["encryption", `${ENCRYPT}format`];
const BACKING = ["backing_file", "backing_fmt"];

/** The formats that can be created, and the options of each. */
export const FORMATS: Readonly<Record<Creation["format"], readonly string[]>> = {
  raw: [],
  qcow: [...BACKING, ...ENCRYPTION],
  qcow2: [
    ...["compat", "cluster_size", "refcount_bits", "lazy_refcounts", "extended_l2"],
    ...["compression_type", "data_file", "data_file_raw"],
    ...BACKING,
    ...ENCRYPTION,
    ...LUKS_OPTIONS.map((name) => ENCRYPT + name),
  ],
  luks: ["detached-header", ...LUKS_OPTIONS],
};

/** The image to create: the options of its format, and more. */
export interface Wanted extends RawCreation {
  readonly options: FormatOptions;
  readonly passphrases: readonly Uint8Array[];
  readonly backing?: { readonly name: string; readonly format: string };
  readonly compressed: boolean;
  /** The LUKS header is written to a file of its own. */
  readonly detached: boolean;
}

/**
 * The image that the options describe.
 *
 * @throws {UsageError} when they conflict
 */
export function creationOf(format: Creation["format"], wanted: Wanted): Creation {
  const { compressed, size, content, passphrases } = wanted;
  const base = { size, ...(content === undefined ? {} : { content }) };
  if (compressed && format !== "qcow" && format !== "qcow2") {
    throw new UsageError(`the format ${format} does not support compression`);
  }
  if (compressed && content === undefined) {
    throw new UsageError("there is nothing to compress without --from");
  }
  switch (format) {
    case "raw":
      mustHaveNoPassphrase(passphrases);
      return { format, ...base };
    case "luks":
      return {
        format,
        ...base,
        luks: luksOptions(wanted.options, passphrases, { detached: wanted.detached }),
      };
    case "qcow":
      return qcowCreation(base, wanted);
    case "qcow2":
      return qcow2Creation(base, wanted);
  }
}

function qcowCreation(base: RawCreation, wanted: Wanted): Creation {
  const method = encryptionOf(wanted.options, ["aes"]);
  if (method === undefined) mustHaveNoPassphrase(wanted.passphrases);
  const { backing, compressed } = wanted;
  return {
    format: "qcow",
    ...base,
    compressed,
    ...(backing === undefined ? {} : { backing: backing.name }),
    ...(method === undefined ? {} : { passphrase: onlyPassphrase(wanted) }),
  };
}

const VERSIONS: Readonly<Record<string, 2 | 3>> = { "0.10": 2, "1.1": 3, v2: 2, v3: 3 };
const CLUSTER_SIZE_DEFAULT = 65536;
const REFCOUNT_BITS_DEFAULT = 16;

function qcow2Creation(base: RawCreation, wanted: Wanted): Creation {
  const { options, backing, compressed } = wanted;
  const version = VERSIONS[options.choice("compat", Object.keys(VERSIONS)) ?? "v3"] ?? 3;
  const compression = options.choice("compression_type", ["zlib", "deflate", "zstd"]) ?? "zlib";
  const dataFile = options.text("data_file");
  const raw = options.flag("data_file_raw");
  if (raw && dataFile === undefined) {
    throw new UsageError("data_file_raw requires data_file");
  }
  const encryption = qcow2Encryption(wanted);
  return {
    format: "qcow2",
    ...base,
    version,
    clusterSize: options.size("cluster_size") ?? CLUSTER_SIZE_DEFAULT,
    refcountBits: options.whole("refcount_bits") ?? REFCOUNT_BITS_DEFAULT,
    lazyRefcounts: options.flag("lazy_refcounts"),
    extendedL2: options.flag("extended_l2"),
    compression: compression === "zstd" ? "zstd" : "deflate",
    compressed,
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined ? {} : { dataFile: { name: dataFile, raw } }),
    ...(encryption === undefined ? {} : { encryption }),
  };
}

type Encryption = NonNullable<Extract<Creation, { format: "qcow2" }>["encryption"]>;

function qcow2Encryption(wanted: Wanted): Encryption | undefined {
  const { options, passphrases } = wanted;
  const kind = encryptionOf(options, ["aes", "luks"]);
  if (kind === "luks") {
    passphrases.forEach(mustSuitQemu);
    return { kind, options: luksOptions(options, passphrases, { prefix: ENCRYPT }) };
  }
  const stray = options.given(LUKS_OPTIONS.map((name) => ENCRYPT + name));
  if (stray !== undefined) {
    throw new UsageError(`${stray} requires ${ENCRYPT}format=luks`);
  }
  if (kind === "aes") return { kind, passphrase: onlyPassphrase(wanted) };
  mustHaveNoPassphrase(passphrases);
  return undefined;
}

/** The kind of encryption; `encryption=on` is the old name of the legacy AES. */
function encryptionOf<K extends string>(
  options: FormatOptions,
  kinds: readonly K[],
): K | "aes" | undefined {
  const kind = options.choice(`${ENCRYPT}format`, kinds);
  return kind ?? (options.flag("encryption") ? "aes" : undefined);
}

function onlyPassphrase({ passphrases }: Wanted): Uint8Array {
  const [passphrase, ...others] = passphrases;
  if (passphrase === undefined || others.length > 0) {
    throw new UsageError("the legacy AES requires exactly one passphrase (--passphrase-file)");
  }
  mustSuitQemu(passphrase);
  return passphrase;
}

function mustHaveNoPassphrase(passphrases: readonly Uint8Array[]): void {
  if (passphrases.length === 0) return;
  throw new UsageError("a passphrase is given, but the image is not encrypted");
}
