import * as fc from "fast-check";
import type { BuiltImage } from "../../../src/format/mod.ts";
import { mostly } from "../../generate/mod.ts";

/** How an image names its backing file. */
export interface Naming {
  /** The image says which format the backing file has. */
  readonly declared: boolean;
  /** The driver that it records instead of raw. */
  readonly driver?: string | undefined;
  readonly form: typeof FORMS[number];
  /** The backing file starts here in its file, if the form says so. */
  readonly offset: number;
}

/**
 * A path, `file:`, and `json:` with nested or dotted keys. Two name a part of a file. The last one names
 * another driver than the format that the image records, and QEMU uses the recorded one.
 *
 * QEMU does not resolve a relative name in an image that was opened as a part of a file.
 */
const FORMS = ["path", "file", "json", "dotted-json", "part", "dotted-part", "overruled"] as const;
const FILE = "file:";
const JSON_START = "json:";
/** Offsets of parts; the last ones need more than 32 bits. */
const OFFSETS = [512, 4096, 66048, 2 ** 32, 2 ** 32 + 4608] as const;

const PATH = { form: "path", offset: OFFSETS[0] } as const;

/** Drivers that are no formats and read a file as raw. */
const PLAIN = ["file", "blkdebug", "preallocate"] as const;
/** Drivers that open no file by its name alone, and names that no driver has. */
const OTHERS = [
  ...["host_device", "host_cdrom", "null-co", "null-aio", "copy-on-read", "throttle", "compress"],
  ...["quorum", "blkverify", "blklogwrites", "nbd", "vvfat", "nvme", "replication", "io_uring"],
  ...["nosuch", "RAW", "raw ", "fat", "host_floppy", "copy-before-wri"],
];

/** Names of backing files; with `any`, also drivers that open none of them. */
export function namings({ any = false }: { any?: boolean } = {}): fc.Arbitrary<Naming> {
  const drivers = [...PLAIN, ...PLAIN, ...PLAIN, ...any ? OTHERS : []];
  return fc.record({
    declared: fc.boolean(),
    driver: mostly<string | undefined>(undefined, fc.constantFrom(...drivers), 1),
    form: mostly<Naming["form"]>("path", fc.constantFrom(...FORMS), 2),
    offset: fc.constantFrom(...OFFSETS),
  });
}

/** Names that are paths. */
export function paths(): fc.Arbitrary<Naming> {
  return fc.boolean().map((declared) => ({ declared, ...PATH }));
}

/** A name as an image stores it. */
export function nameIn({ form, offset }: Naming, file: string, format: string): string {
  switch (form) {
    case "path":
      return file;
    case "file":
      return FILE + file;
    case "json":
      return json({ driver: format, file: { driver: "file", filename: file } });
    case "dotted-json":
      return json({ "file.driver": "file", "file.filename": file });
    case "overruled":
      return json({
        driver: format === "raw" ? "qcow2" : "raw",
        file: { driver: "file", filename: file },
      });
    case "part":
      return json({ driver: format, file: { driver: "raw", offset, file: { filename: file } } });
    case "dotted-part":
      return json({
        ...{ driver: format, "file.driver": "raw", "file.offset": `${offset}` },
        "file.file.filename": file,
      });
  }
}

function json(options: object): string {
  return JSON_START + JSON.stringify(options);
}

/** The form of a name of a file with this format, and its offset. */
export function namingOf(name: string, format?: string): Pick<Naming, "form" | "offset"> {
  if (name.startsWith(FILE)) return { form: "file", offset: OFFSETS[0] };
  if (!name.startsWith(JSON_START)) return PATH;
  const options = JSON.parse(name.slice(JSON_START.length)) as {
    readonly driver?: string;
    readonly file?: { readonly offset?: number };
    readonly "file.offset"?: string;
  };
  const { driver, file, "file.offset": dotted } = options;
  if (dotted !== undefined) return { form: "dotted-part", offset: Number(dotted) };
  if (file?.offset !== undefined) return { form: "part", offset: file.offset };
  if (file === undefined) return { form: "dotted-json", offset: OFFSETS[0] };
  const isOverruled = format !== undefined && driver !== format;
  return { form: isOverruled ? "overruled" : "json", offset: OFFSETS[0] };
}

/** What is before the part: a reader that starts there finds no image. */
const BEFORE = new Uint8Array(512).fill(0xa5);

/** An image as the part of a file that it is by its name. */
export function asPart(built: BuiltImage, name: string): BuiltImage {
  const { form, offset } = namingOf(name);
  if (form !== "part" && form !== "dotted-part") return built;
  const moved = built.segments.map((segment) => ({ ...segment, offset: segment.offset + offset }));
  return {
    segments: [{ offset: 0, bytes: BEFORE }, ...moved],
    size: built.size + offset,
    placed: [],
  };
}
