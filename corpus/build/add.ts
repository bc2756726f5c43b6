import { createHash } from "node:crypto";
import { basename } from "node:path";
import { parseOptions, print, UsageError } from "../../src/cli/mod.ts";
import {
  ADDED,
  type ImageRecord,
  packFamilies,
  readImage,
  recordNames,
  removeRecord,
} from "../../src/recorded/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { corpusImage } from "./added.ts";
import { fromArtifact, fromImage, type Given, isArtifact } from "./given.ts";
import { judged, smaller } from "./minimize.ts";
import { missingFor, recordImage, type Tools } from "./record.ts";
import { describe } from "./show.ts";
import { definedFlags } from "./verify.ts";

const FAILED = 1;
const VERDICTS: readonly string[] = ["must-accept", "must-reject", "either"];

/**
 * `corpus add`: turns an artifact of the fuzzer or an image into a case: makes it smaller, describes
 * and classifies it, and records the answers of the installed tools.
 *
 * @returns the exit status
 * @throws {UsageError} when the file or an option cannot be used
 */
export async function add(
  args: readonly string[],
  { images, tools }: { images: string; tools(): Promise<Tools> },
): Promise<number> {
  const options = parseOptions(args, {
    values: ["name", "shows", "happened", "format", "verdict", "time"],
    lists: ["flag", "passphrase", "beside", "peer"],
  });
  const [file, ...others] = options.positional;
  if (file === undefined || others.length > 0) throw new UsageError("name one file (see --help)");
  const flags = options.list("flag");
  const unknown = flags.find((flag) => !definedFlags().has(flag));
  if (unknown !== undefined) throw new UsageError(`corpus/flags.json has no flag '${unknown}'`);
  const verdict = options.value("verdict");
  if (verdict !== undefined && !VERDICTS.includes(verdict)) {
    throw new UsageError(`unknown verdict '${verdict}' (supported: ${VERDICTS.join(", ")})`);
  }
  const given = isArtifact(file)
    ? await fromArtifact(file, options)
    : smaller(fromImage(file, options));
  const record = recordOf(given, {
    name: nameOf(given, options.value("name")),
    shows: options.value("shows"),
    happened: options.value("happened") ?? given.happened,
    flags: flags.length > 0 ? flags : given.flags.filter((flag) => definedFlags().has(flag)),
  });
  const { name } = record;
  if (recordNames(images).includes(name)) throw new UsageError(`the corpus has '${name}' already`);
  const image = corpusImage(record, () => [...given.files.values()]);
  const used = await tools();
  const missing = missingFor(image, used);
  if (missing !== undefined) {
    throw new UsageError(`Cannot record ${name}: ${missing} is not installed`);
  }
  const because = await recordImage(image, images, used) ?? differs(images, { name, verdict });
  if (because !== undefined) {
    removeRecord(images, name);
    print(`${name} is not added: ${because}`);
    return FAILED;
  }
  packFamilies(images);
  for (const line of describe(readImage(images, name))) print(line);
  return 0;
}

/** Where the verdict about the content is not the one that was given. */
function differs(
  images: string,
  { name, verdict }: { name: string; verdict: string | undefined },
): string | undefined {
  const { answers = {} } = readImage(images, name).record.expected ?? {};
  const [question = ""] = ["digest", "map", "info"].filter((it) => answers[it] !== undefined);
  const expected = answers[question]?.verdict;
  if (verdict === undefined || expected === verdict) return undefined;
  return `the format says ${expected} for ${question}, not ${verdict}`;
}

/** The name that is given, or one that says the origin and is the same for the same bytes. */
function nameOf({ files, about }: Given, given: string | undefined): string {
  const hash = createHash("sha256");
  for (const bytes of files.values()) hash.update(bytes);
  const slug = about.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 60);
  const name = given ?? `${slug.replaceAll(/^-|-$/g, "")}-${hash.digest("hex").slice(0, 8)}`;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    throw new UsageError(`'${name}' is not a name: use letters, digits and single hyphens`);
  }
  return `${ADDED}${name}`;
}

/** The record of an added image before any tool has been queried. */
function recordOf(
  { files, format, passphrases, changes }: Given,
  { name, shows, happened, flags }: {
    name: string;
    shows: string | undefined;
    happened: string | undefined;
    flags: readonly string[];
  },
): ImageRecord {
  const opening = format === undefined ? {} : { format };
  const { findings, expected } = judged(files, { ...opening, passphrases });
  const broken = findings.filter(({ level }) => level === "must");
  // The rule for which the image must be rejected, or the only one that it breaks.
  const deciding = expected.find(({ verdict }) => verdict === "must-reject")?.rules?.[0];
  const first = broken.find(({ rule }) => rule === deciding) ?? broken[0];
  const isAboutRule = deciding !== undefined || new Set(broken.map(({ rule }) => rule)).size === 1;
  const sentence = first === undefined
    ? "the image keeps all rules"
    : `${first.path}: ${first.message} (${ruleOf(first.rule).says})`;
  return {
    name,
    shows: shows ?? sentence,
    ...(flags.length === 0 ? {} : { flags }),
    ...(happened === undefined ? {} : { happened }),
    features: first !== undefined && isAboutRule ? [first.rule, "breaks"] : [ADDED.slice(0, -1)],
    builder: "diskproof",
    commands: [],
    changes,
    subject: [...files.keys()][0] ?? basename(name),
    ...(format === undefined ? {} : { format }),
    ...(passphrases.length === 0 ? {} : { passphrases }),
    files: [...files].map(([name, bytes]) => ({ name, size: bytes.length, sha256: "" })),
    answers: {},
  };
}
