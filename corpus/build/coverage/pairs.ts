import type { Json } from "../../../src/format/mod.ts";
import type { ImageRecord } from "../../../src/recorded/mod.ts";
import type { Item } from "./aspect.ts";

/** What images of qcow2 combine, with the values of each. */
const FACTORS = {
  "cluster size": [512, 1024, 4096, 16384, 65536, 262144, 2097152],
  "refcount width": [1, 2, 4, 8, 16, 32, 64],
  version: [2, 3],
  compression: ["zlib", "zstd"],
  "L2 entries": ["standard", "extended"],
  encryption: ["none", "aes", "luks"],
} as const;

type Factor = keyof typeof FACTORS;
type Values = { readonly [F in Factor]: number | string };

/** Extended L2 entries need clusters of this size. */
const EXTENDED_MIN = 16384;

/** Each pair of values of two factors, with the valid images of it. */
export function pairsCovered(records: readonly ImageRecord[]): Item[] {
  const images = records.flatMap((record) => {
    const values = valuesIn(record);
    return values === undefined ? [] : [{ name: record.name, values }];
  });
  const factors = Object.keys(FACTORS) as Factor[];
  return factors.flatMap((left, index) =>
    factors.slice(index + 1).flatMap((right) =>
      FACTORS[left].flatMap((one) =>
        FACTORS[right].filter((two) => isPossible({ [left]: one, [right]: two })).map((two) => ({
          name: `${left} ${one}, ${right} ${two}`,
          images: images.filter(({ values }) => values[left] === one && values[right] === two)
            .map(({ name }) => name),
        }))
      )
    )
  );
}

/** What qemu-img says of an image that it accepts as valid. */
function valuesIn({ format, answers, expected }: ImageRecord): Values | undefined {
  if (format !== "qcow2" && expected?.format !== "qcow2") return undefined;
  if (expected?.answers["info"]?.verdict === "must-reject") return undefined;
  const info = Object.values(answers).map((it) => "json" in it.info ? it.info.json : undefined)
    .find((it) => it !== undefined) as { readonly [key: string]: Json } | undefined;
  const { data } = (info?.["format-specific"] ?? {}) as {
    data?: { readonly [key: string]: Json };
  };
  if (info === undefined || data === undefined) return undefined;
  const { format: encryption } = (data["encrypt"] ?? {}) as { readonly [key: string]: Json };
  return {
    "cluster size": Number(info["cluster-size"]),
    "refcount width": Number(data["refcount-bits"]),
    version: data["compat"] === "0.10" ? 2 : 3,
    compression: String(data["compression-type"] ?? "zlib"),
    "L2 entries": data["extended-l2"] === true ? "extended" : "standard",
    encryption: typeof encryption === "string" ? encryption : "none",
  };
}

/** Version 2 has refcounts of 16 bits, no other compression and no extended L2 entries. */
function isPossible(values: Partial<Values>): boolean {
  const of2 = values.version === 2;
  const width = values["refcount width"] ?? 16;
  if (of2 && (width !== 16 || values.compression === "zstd")) return false;
  if (values["L2 entries"] !== "extended") return true;
  return !of2 && Number(values["cluster size"] ?? EXTENDED_MIN) >= EXTENDED_MIN;
}
