import { assert, assertEquals } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Admission, admissionOf, ALLOWABLE, detect, openBytes } from "../../src/image/mod.ts";
import {
  type ImageRecord,
  readRecord,
  readRecordFiles,
  recordNames,
} from "../../src/recorded/mod.ts";

const FOLDERS = ["golden", "corpus"].map((name) =>
  new URL(`../../${name}/images`, import.meta.url).pathname
);
const LIMITS = { virtualSizeMax: Infinity };

function* records(): Generator<{ record: ImageRecord; source: MemorySource }> {
  for (const folder of FOLDERS) {
    for (const name of recordNames(folder)) {
      const record = readRecord(folder, name);
      const at = record.files.findIndex((file) => file.name === record.subject);
      if ((record.files[at]?.size ?? Infinity) > 2 ** 24) continue;
      if (record.header !== undefined) continue;
      const bytes = readRecordFiles(folder, record)[at];
      if (bytes !== undefined) yield { record, source: new MemorySource(bytes) };
    }
  }
}

/** With the format that qemu-img was told, where it was told one. */
function admit(
  source: MemorySource,
  { format, subject }: ImageRecord,
  allow: typeof ALLOWABLE | [] = [],
): Admission {
  const opened = openBytes(source, format ?? detect(source, { name: subject }));
  return admissionOf(opened, { ...LIMITS, allow });
}

/** What every version of qemu-img says, or `undefined` if they differ. */
function infoOf({ answers }: ImageRecord): Record<string, unknown> | "rejected" | undefined {
  const said = Object.values(answers).map(({ info }) =>
    "exitCode" in info && info.exitCode === 0 && "json" in info
      ? info.json as Record<string, unknown>
      : "rejected"
  );
  const [first] = said;
  const isSame = said.every((info) =>
    JSON.stringify([info].map(important)) === JSON.stringify([first].map(important))
  );
  return isSame ? first : undefined;
}

function important(info: Record<string, unknown> | string | undefined): unknown {
  return typeof info === "object" ? [info["format"], info["virtual-size"]] : info;
}

Deno.test("admissionOf() agrees with what qemu-img info prints for every recorded image", () => {
  let [admitted, invalid] = [0, 0];
  for (const { record, source } of records()) {
    const { name } = record;
    const info = infoOf(record);
    const admission = admit(source, record, ALLOWABLE);
    // To QEMU a LUKS2 volume is raw.
    if (info === undefined || admission.format === "luks2") continue;
    const reasons = admission.reasons.map(({ reason }) => reason);
    if (reasons.includes("invalid")) {
      assertEquals(info, "rejected", name);
      invalid++;
    } else if (admission.admitted) {
      assert(info !== "rejected", name);
      const { format, "virtual-size": size } = admission;
      assertEquals([info["format"], info["virtual-size"]], [format, size], name);
      admitted++;
    } else {
      assert(reasons.every((reason) => reason === "format" || reason === "virtual-size"), name);
    }
  }
  assert(admitted > 400 && invalid > 50, `${admitted} ${invalid}`);
});

Deno.test("admissionOf() admits no recorded image in which qemu-img info shows a hazard", () => {
  const found = new Set<string>();
  for (const { record, source } of records()) {
    const info = infoOf(record);
    if (typeof info !== "object") continue;
    const reasons = admit(source, record).reasons.map(({ reason }) => reason);
    const data = (info["format-specific"] as { data?: Record<string, unknown> })?.data ?? {};
    const hazards = {
      backing: info["backing-filename"] !== undefined,
      encryption: info["encrypted"] === true,
      dirty: info["dirty-flag"] === true,
      corrupt: data["corrupt"] === true,
      snapshots: info["snapshots"] !== undefined,
      // It prints a name that it does not use, too.
      "data-file": data["data-file"] !== undefined && !record.name.includes("data-file-any"),
    };
    for (const [hazard, isThere] of Object.entries(hazards)) {
      if (!isThere) continue;
      assert(reasons.some((reason) => reason === hazard), `${record.name} ${hazard}`);
      found.add(hazard);
    }
  }
  assertEquals(found.size, 6, [...found].join());
});
