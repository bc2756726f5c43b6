import { storedSize } from "../bytes/mod.ts";
import {
  AccessError,
  type Broken,
  type CheckCounts,
  type Layer,
  type Watch,
} from "../format/mod.ts";
import { type Finding, type SpecVerdict, specVerdict } from "../rules/mod.ts";
import { rawFormat } from "../raw/mod.ts";
import { layersOf } from "./chain.ts";
import { hintsOf } from "./scan.ts";
import type { OpenedImage } from "./opened_image.ts";
import { digestOf, type Readable, tryReading } from "./content.ts";
import { nearMisses, probe } from "./probe.ts";

/** Everything that diskproof has to say about one image. One line of `judge`. */
export interface Judgement {
  /** Path of the image. */
  readonly image: string;
  /** Name of the format. */
  readonly format: string;
  /** What public qemu-img does with the image. */
  readonly qemu: {
    /**
     * Whether it opens for reading content; `needs-key` where it is encrypted, no passphrase is given and
     * nothing else prevents it; `unknown` where trying the passphrases is too much work, or
     * a file is not looked at: the findings say which, and why.
     */
    readonly open: "accept" | "reject" | "needs-key" | "unknown";
    /** Whether all of its content can be read; `error` too where it does not open. */
    readonly read: "ok" | "error" | "unknown";
    /** What `check` counts; `null` where it gives no counts. */
    readonly check: CheckJson | null;
  };
  /** What cryptsetup does with a volume of LUKS version 2, which qemu-img takes for raw. */
  readonly cryptsetup?: {
    /** `unknown` where looking at the volume is too much work. */
    readonly open: "accept" | "reject" | "needs-key" | "unknown";
  };
  /** What the format says of it. */
  readonly spec: { readonly verdict: SpecVerdict };
  /** The broken rules, in file order. */
  readonly findings: readonly Finding[];
  /** SHA-256 of the content, if requested; `null` if it cannot be read. */
  readonly digest?: string | null;
  /** Why the digest is `null`. */
  readonly "digest-reason"?: string;
}

/** The counts of `check` by qemu-img's names. */
export interface CheckJson {
  /** Number of corruptions. */
  readonly corruptions: number;
  /** Number of leaked clusters. */
  readonly leaks: number;
  /** Number of errors that stopped a part of the check. */
  readonly "check-errors": number;
}

/** What to judge beyond the verdicts. */
export interface JudgeOptions {
  /** Add the digest of the content, if it has at most so many bytes. */
  readonly digestUpTo?: number;
  /** Receives how much is judged. */
  readonly watch?: Watch;
}

/** The part of the work, at most, before a digest. */
const TABLES_BEFORE_DIGEST = 0.1;

/** Watches one part of the work. */
function partOf({ watch }: JudgeOptions, [from, to]: [number, number]): { watch?: Watch } {
  return watch === undefined ? {} : { watch: (done) => watch(from + (to - from) * done) };
}

/** Judges an opened image: everything that can be known of it without writing to it. */
export function judgeImage(image: OpenedImage, options: JudgeOptions = {}): Judgement {
  const { findings, layer, format, definition, path } = image;
  const notKnown = findings.unknown() !== undefined;
  const refused = findings.refusal("read") !== undefined || layer === undefined && !notKnown;
  const lacksKey = needsKey(image);
  const tables = options.digestUpTo === undefined ? 1 : TABLES_BEFORE_DIGEST;
  const part = (from: number, to: number): { watch?: Watch } => partOf(options, [from, to]);
  layer?.judge(findings, part(0, tables / 3));
  const layers = layersOf(image);
  const tried = refused || layer === undefined
    ? undefined
    : tryLayers(image, layers, part(tables / 3, 2 * tables / 3));
  const readable = refused ? "error" : tried?.read ?? "unknown";
  const check = layer !== undefined && findings.refusal("check") === undefined
    ? layer.check?.(findings, part(2 * tables / 3, tables))
    : undefined;
  noteProbe(image);
  const { everyImage, tool } = definition.verdict;
  if (everyImage !== undefined) {
    findings.add(everyImage.rule, everyImage.place, everyImage.message);
  }
  const list = findings.list();
  const untried = !refused &&
    layers.some(({ encrypted, unlocked }) => encrypted && unlocked === false);
  const judgement: Judgement = {
    image: path,
    format,
    ...(tool === "cryptsetup"
      ? { qemu: asRaw(image), cryptsetup: { open: byCryptsetup(image) } }
      : {
        qemu: {
          ...untried ? UNKNOWN : byQemu({ refused, lacksKey, readable, notKnown }),
          check: check === undefined ? null : checkJson(check),
        },
      }),
    spec: {
      verdict: definition.foreign === true
        ? "unknown"
        : specVerdict(list, { dirty: layer?.dirty ?? false }),
    },
    findings: list,
  };
  if (options.digestUpTo === undefined) return judgement;
  const broken = tried?.read === "error" ? tried.broken : undefined;
  return {
    ...judgement,
    ...contentDigest(image, { broken, limit: options.digestUpTo, ...part(tables, 1) }),
  };
}

/** What is not looked at makes no difference to an image that is rejected or cannot be read itself. */
function byQemu(
  { refused, lacksKey, readable, notKnown }: {
    refused: boolean;
    lacksKey: boolean;
    readable: Judgement["qemu"]["read"];
    notKnown: boolean;
  },
): Pick<Judgement["qemu"], "open" | "read"> {
  if (refused) {
    return lacksKey ? { ...UNKNOWN, open: "needs-key" } : { open: "reject", read: "error" };
  }
  if (!notKnown) return { open: "accept", read: readable };
  return { open: "unknown", read: readable === "error" ? "error" : "unknown" };
}

function byCryptsetup(image: OpenedImage): Judgement["qemu"]["open"] {
  const { findings, layer } = image;
  if (needsKey(image)) return "needs-key";
  if (findings.refusal("read") !== undefined) return "reject";
  return layer === undefined ? "unknown" : "accept";
}

/** Whether nothing but a missing passphrase keeps an image, or one below it, from being read. */
function needsKey({ findings, layer, definition: { keys }, backing }: OpenedImage): boolean {
  const rule = findings.refusal("read")?.rule;
  if (rule === undefined || layer === undefined) return false;
  if (rule === "blk.backing.opens") return backing !== undefined && needsKey(backing);
  return keys?.locks[rule] === "missing";
}

const UNKNOWN = { open: "unknown", read: "unknown" } as const;

/** Whatever a raw image holds can be read. */
function asRaw({ source, path: name }: OpenedImage): Judgement["qemu"] {
  const { foreign } = probe(source, { name });
  return foreign ? { ...UNKNOWN, check: null } : { open: "accept", read: "ok", check: null };
}

/** An image whose backing file is not there for us to read is read as far as it goes by itself. */
function tryLayers(
  { layer, source, incomplete }: OpenedImage,
  layers: readonly Layer[],
  options: { readonly watch?: Watch },
): Readable {
  const readable = incomplete && layer !== undefined ? [layer] : layers;
  return tryReading(readable, storedSize(source), options);
}

/** The digest, or why there is none. */
function contentDigest(
  image: OpenedImage,
  { broken, limit, watch }: {
    readonly broken: Broken | undefined;
    readonly limit: number;
    readonly watch?: Watch;
  },
): Pick<Judgement, "digest" | "digest-reason"> {
  const { findings, layer, incomplete } = image;
  const none = (reason: string) => ({ digest: null, "digest-reason": reason });
  const found = findings.refusal("read") ?? findings.unknown() ?? broken;
  if (found !== undefined) return none(found.message);
  if (layer === undefined) return none("The image does not open");
  if (incomplete) return none("A file that the image refers to was not opened");
  const layers = layersOf(image);
  const size = layer.virtualSize;
  const hashed = watch === undefined ? {} : { hashed: (bytes: number) => watch(bytes / size) };
  if (size > limit) {
    return none(
      `The content has ${BigInt(size)} bytes, more than the limit of ${limit} (--digest-max)`,
    );
  }
  try {
    return { digest: digestOf(layers, { ...hashed, from: 0, to: size }) };
  } catch (error) {
    if (error instanceof AccessError) return none(error.message);
    throw error;
  }
}

function checkJson(counts: CheckCounts): CheckJson {
  const { corruptions, leaks, checkErrors } = counts;
  return { corruptions, leaks, "check-errors": checkErrors };
}

/** Why a file that looks like one of the formats is raw. */
function noteProbe(image: OpenedImage): void {
  const { definition, source, findings } = image;
  if (definition !== rawFormat) return;
  const place = { path: "/", offset: 0 };
  if (source.size === 0) findings.add("blk.probe.nonempty", place, "The file is empty: it is raw");
  for (const miss of nearMisses(image)) findings.add(miss.rule, miss.place, miss.message);
  for (const hint of hintsOf(source)) {
    findings.add("blk.probe.remains", place, `${hint}: inspect --scan looks for the rest`);
  }
}
