import {
  BACKING_OPTIONS,
  ENCRYPTION_OPTIONS,
  encryptionKind,
  type ImageRequest,
  mustHaveNoPassphrase,
  mustSuitQemu,
  onlyPassphrase,
} from "../../format/mod.ts";
import { LUKS_OPTIONS, luksOptions } from "../../luks1/mod.ts";
import type { Qcow2Creation, Qcow2Encryption } from "./options.ts";

const ENCRYPT = "encrypt.";
const OF_LUKS = LUKS_OPTIONS.map((name) => ENCRYPT + name);
const VERSIONS: Readonly<Record<string, 2 | 3>> = { "0.10": 2, "1.1": 3, v2: 2, v3: 3 };
const CLUSTER_SIZE_DEFAULT = 65536;
const REFCOUNT_BITS_DEFAULT = 16;
const PREALLOCATIONS = ["off", "metadata", "falloc", "full"] as const;

/** The options that an image has. */
export const QCOW2_OPTIONS: readonly string[] = [
  ...["compat", "cluster_size", "refcount_bits", "lazy_refcounts", "extended_l2"],
  ...["compression_type", "data_file", "data_file_raw", "preallocation"],
  ...BACKING_OPTIONS,
  ...ENCRYPTION_OPTIONS,
  ...OF_LUKS,
];

/** The requested image. */
export function planQcow2(request: ImageRequest): Qcow2Creation {
  const { options, size, content, backing, compressed } = request;
  const version = VERSIONS[options.choice("compat", Object.keys(VERSIONS)) ?? "v3"] ?? 3;
  const compression = options.choice("compression_type", ["zlib", "deflate", "zstd"]) ?? "zlib";
  const dataFile = options.text("data_file");
  const raw = options.flag("data_file_raw");
  if (raw && dataFile === undefined) throw new RangeError("data_file_raw requires data_file");
  const preallocation = options.choice("preallocation", PREALLOCATIONS);
  const encryption = encryptionOf(request);
  return {
    size,
    version,
    clusterSize: options.size("cluster_size") ?? CLUSTER_SIZE_DEFAULT,
    refcountBits: options.whole("refcount_bits") ?? REFCOUNT_BITS_DEFAULT,
    lazyRefcounts: options.flag("lazy_refcounts"),
    extendedL2: options.flag("extended_l2"),
    compression: compression === "zstd" ? "zstd" : "deflate",
    compressed,
    ...(content === undefined ? {} : { content }),
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined ? {} : { dataFile: { name: dataFile, raw } }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(preallocation === undefined ? {} : { preallocation }),
  };
}

function encryptionOf(request: ImageRequest): Qcow2Encryption | undefined {
  const { options, passphrases } = request;
  const kind = encryptionKind(options, ["aes", "luks"]);
  if (kind === "luks") {
    passphrases.forEach(mustSuitQemu);
    return { kind, options: luksOptions(request, ENCRYPT) };
  }
  const stray = options.given(OF_LUKS);
  if (stray !== undefined) throw new RangeError(`${stray} requires ${ENCRYPT}format=luks`);
  if (kind === "aes") return { kind, passphrase: onlyPassphrase(request) };
  mustHaveNoPassphrase(request);
  return undefined;
}
