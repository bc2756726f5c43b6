import { visible } from "../../format/mod.ts";
import {
  type FailureKind,
  type Operation,
  type Outcome,
  type Peer,
  type PeerDescription,
  PeerError,
  ToolError,
  withScratch,
} from "../../peers/mod.ts";
import { tableLines } from "../../report/mod.ts";
import { parseOptions, wholeNumber } from "../options.ts";
import { print } from "../output.ts";
import { type NamedPeer, namedPeer } from "../peers.ts";
import { FAILED } from "../program.ts";
import { UsageError } from "../verb.ts";
import { askAbout, type Asked } from "./asking.ts";
import { type ExampleImage, exampleImages, writeExample } from "./images.ts";
import { checkCalls, checkLines, DESCRIPTION, type ProtocolCheck } from "./protocol.ts";

const SECONDS_MAX = 3600;

/** `adapter doctor`: what an adapter says of itself, and what it does right and wrong. */
export async function doctor(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, { flags: ["check-protocol"], values: ["timeout"] });
  const [text, ...others] = options.positional;
  if (text === undefined || others.length > 0) {
    throw new UsageError("name one adapter (see --help)");
  }
  const seconds = wholeNumber(options, "timeout", { min: 1, max: SECONDS_MAX });
  const limits = seconds === undefined ? {} : { timeoutMs: seconds * 1000 };
  const named = namedPeer(text, { ...limits, atOnce: 1 });
  if (named.comparedWith === "record") {
    throw new UsageError(`'${text}' is not an adapter: name jsonl:, exec: or module:`);
  }
  const strict = namedPeer(text, { ...limits, atOnce: 1, strict: true });
  try {
    return await examine(named, strict.peer);
  } finally {
    await named.peer.close?.();
    await strict.peer.close?.();
  }
}

async function examine(named: NamedPeer, strict: Peer): Promise<number> {
  return await withScratch(async (directory) => {
    const images = exampleImages();
    const placeOf = ({ name }: ExampleImage) => `${directory}/${name}.d`;
    for (const image of images) {
      Deno.mkdirSync(placeOf(image));
      writeExample(image, placeOf(image));
    }
    const [first] = images;
    const checks = await protocolChecks(named, first === undefined ? directory : placeOf(first));
    const described = await descriptionCheck(strict);
    if (!checks.some(({ what }) => what === DESCRIPTION)) checks.unshift(described);
    const self = await descriptionOf(named.peer, checks);
    const asked: Asked[] = [];
    if (self !== undefined) {
      // A description that is wrong does not keep the images from being queried.
      const peer = described.problems.length === 0 ? strict : named.peer;
      for (const image of images) {
        asked.push(...await askAbout(image, { peer, self, directory: placeOf(image) }));
      }
    }
    const lines = [
      ...self === undefined ? [] : selfLines(self),
      ...protocolLines(checks),
      ...self === undefined ? [] : answerLines(images, asked),
    ];
    for (const line of lines) print(visible(line));
    const isWrong = checks.some(({ problems }) => problems.length > 0) ||
      asked.some(({ misconduct }) => misconduct !== undefined);
    print(`\n${closing(isWrong, asked)}`);
    return isWrong ? FAILED : 0;
  });
}

/** @throws {PeerError} when there is none, and no check says why */
async function descriptionOf(
  peer: Peer,
  checks: readonly ProtocolCheck[],
): Promise<PeerDescription | undefined> {
  try {
    return await peer.describe();
  } catch (error) {
    const isExplained = checks.some(({ problems }) => problems.length > 0);
    if (error instanceof PeerError && isExplained) return undefined;
    throw error;
  }
}

async function protocolChecks(
  { kind, command }: NamedPeer,
  directory: string,
): Promise<ProtocolCheck[]> {
  if (kind === "jsonl") {
    const [image, missing] = [`${directory}/v2.qcow2`, `${directory}/no-such-image`];
    return await checkLines(command, { image, missing });
  }
  return kind === "exec" ? await checkCalls(command, { directory, path: "v2.qcow2" }) : [];
}

async function descriptionCheck(strict: Peer): Promise<ProtocolCheck> {
  try {
    await strict.describe();
    return { what: DESCRIPTION, problems: [] };
  } catch (error) {
    if (!(error instanceof PeerError) || error instanceof ToolError) throw error;
    return { what: DESCRIPTION, problems: [error.message] };
  }
}

function selfLines(self: PeerDescription): string[] {
  const { name, version, language, homepage, formats, operations, features, takes = [] } = self;
  const about = [language, homepage].filter((it) => it !== undefined).join(", ");
  const rows = [
    ["formats", formats.join(", ")],
    ["operations", operations.join(", ")],
    ["features", features?.join(", ") ?? "not listed: what it does not support is not a failure"],
    ["takes", takes.length === 0 ? "neither passphrases nor detached headers" : takes.join(", ")],
  ];
  return [
    `The adapter says: ${name} ${version}${about === "" ? "" : ` (${about})`}`,
    ...tableLines({ heading: ["", ""], rows }).slice(1).map((line) => `  ${line}`),
  ];
}

function protocolLines(checks: readonly ProtocolCheck[]): string[] {
  return [
    "",
    "Protocol",
    ...checks.flatMap(({ what, problems }) => [
      `  ${problems.length === 0 ? "ok   " : "WRONG"}  ${what}`,
      ...problems.map((problem) => `         ${problem}`),
    ]),
  ];
}

const COLUMNS: readonly Operation[] = ["probe", "info", "map", "check", "digest", "unlock"];

function answerLines(images: readonly ExampleImage[], asked: readonly Asked[]): string[] {
  const columns = COLUMNS.filter((it) => asked.some(({ operation }) => operation === it));
  const rows = images.filter((image) => asked.some((it) => it.image === image)).map((image) => [
    image.name,
    ...columns.map((column) =>
      wordOf(asked.filter((it) => it.image === image && it.operation === column))
    ),
    image.what,
  ]);
  const heading = ["image", ...columns, ""];
  const table = rows.length === 0 ? [] : tableLines({ heading, rows });
  return ["", "Answers", ...table.map((line) => `  ${line}`), ...wrongLines(asked)];
}

/** What is wrong, each thing once, with the images that show it. */
function wrongLines(asked: readonly Asked[]): string[] {
  const found = new Map<string, string[]>();
  for (const one of asked) {
    if (one.misconduct === undefined) continue;
    const key = [`: ${one.misconduct.kind}`, ...detailLines(one)].join("\n");
    found.set(key, [...found.get(key) ?? [], `${one.image.name} (${one.question})`]);
  }
  return [...found].flatMap(([key, images]) => {
    const [kind = "", ...details] = key.split("\n");
    return ["", `  ${images.join(", ")}${kind}`, ...details.map((line) => `  ${line}`)];
  });
}

function wordOf(asked: readonly Asked[]): string {
  if (asked.some(({ misconduct }) => misconduct !== undefined)) return "WRONG";
  const outcomes = new Set(asked.map(({ outcome }) => outcome.outcome));
  if (outcomes.size === 0) return "-";
  return outcomes.has("unsupported") && outcomes.size === 1 ? "unsupported" : "ok";
}

function detailLines({ image, misconduct, expectation, outcome }: Asked): string[] {
  if (misconduct === undefined) return [];
  const { kind, differences } = misconduct;
  const rules = expectation.rules === undefined ? "" : ` (${expectation.rules.join(", ")})`;
  const isCompared = outcome.outcome === "accepted" && expectation.verdict !== "must-reject";
  const isFailure = kind === "crash" || kind === "hang" || kind === "malformed-answer";
  return [
    ...isCompared
      ? differences.slice(0, LISTED).map(({ path, left, right }) =>
        `  ${path}: expected ${valueText(left)}, answered ${valueText(right)}`
      )
      : [
        // No answer is right that is none, whatever is expected.
        ...isFailure ? [] : [`  expected: ${expectation.verdict}${rules}`],
        ...answerText(outcome).split("\n").map((line, at) =>
          at === 0 ? `  answered: ${line}` : `    ${line}`
        ),
      ],
    ...hintsOf(image, kind),
  ];
}

/** JSON, with every digit of a number. */
function valueText(value: unknown): string {
  return typeof value === "number" && Number.isInteger(value)
    ? `${BigInt(value)}`
    : JSON.stringify(value) ?? "nothing";
}

const LISTED = 5;
const TEXT_MAX = 800;

function answerText(outcome: Outcome<unknown>): string {
  if (outcome.outcome === "accepted") return "accepted";
  const printed = outcome.outcome === "malformed-answer" ? `: '${outcome.printed}'` : "";
  return `${outcome.outcome}: ${outcome.message.trim()}${printed}`.slice(0, TEXT_MAX);
}

/** What an adapter that fails at an example often does wrong. */
function hintsOf({ name }: ExampleImage, kind: FailureKind): string[] {
  if (name === "overlay.qcow2" && (kind === "refuses-valid" || kind === "wrong-content")) {
    return [
      "  hint: a relative name in an image is relative to the folder of that image, not to the",
      "        folder in which the adapter runs",
    ];
  }
  return name === "huge.qcow2"
    ? ["  hint: numbers above 2^53 are exact as decimal strings alone, in requests and in answers"]
    : [];
}

function closing(isWrong: boolean, asked: readonly Asked[]): string {
  if (isWrong) return "Something is wrong: see the lines above, and docs/adapter.md.";
  return asked.some(({ outcome }) => ["accepted", "rejected"].includes(outcome.outcome))
    ? "All is well. Go on with 'validate'."
    : "The protocol is right. The adapter answered no question about an image yet.";
}
