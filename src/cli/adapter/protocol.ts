import { isPublishedFeature, publishedFeatures } from "../../expect/mod.ts";
import { formatNames } from "../../formats.ts";
import type { Json } from "../../format/mod.ts";
import {
  LineProcess,
  type LineReply,
  LISTED_OPERATIONS,
  problemsOfAnswer,
  problemsOfEnvelope,
  PROTOCOL,
  runTool,
} from "../../peers/mod.ts";
import { nearest } from "../nearest.ts";
import { parsed, textOfBytes } from "./texts.ts";

/** Something that the protocol requires, and what is wrong where the adapter does not do it. */
export interface ProtocolCheck {
  readonly what: string;
  /** Empty where all is well. */
  readonly problems: readonly string[];
}

/** The check of a description. */
export const DESCRIPTION = "its description has names that diskproof knows";

const UNKNOWN = "no-such-operation";
const TIMEOUT_MS = 20_000;
/** Output that comes so long after an answer belongs to none, in milliseconds. */
const QUIET_MS = 200;

/** What is wrong with a description, in plain words. */
function descriptionProblems(description: Json): string[] {
  const known = { operations: LISTED_OPERATIONS, formats: formatNames };
  const members = typeof description === "object" && description !== null
    ? description as { readonly [key: string]: Json }
    : {};
  const names = (key: string): string[] => {
    const list = members[key];
    return Array.isArray(list) ? list.filter((it): it is string => typeof it === "string") : [];
  };
  const unknown = Object.entries(known).flatMap(([key, all]) =>
    names(key).filter((it) => !all.includes(it)).map((it) => unknownName(key, it, all))
  );
  const features = names("features").filter((it) => !isPublishedFeature(it))
    .map((it) => unknownName("features", it, Object.keys(publishedFeatures)));
  const lists = /^\/(operations|formats)\//;
  const others = problemsOfAnswer("hello", description).filter((it) => !lists.test(it));
  return [...unknown, ...features, ...others];
}

function unknownName(list: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const hint = meant === undefined ? `known: ${known.join(", ")}` : `did you mean '${meant}'?`;
  return `${list} has the unknown name '${name}' (${hint})`;
}

/**
 * What a long-lived adapter does with requests that it may get.
 *
 * @param image the path of an image that exists
 * @param missing the path of a file that does not exist
 */
export async function checkLines(
  command: readonly string[],
  { image, missing }: { readonly image: string; readonly missing: string },
): Promise<ProtocolCheck[]> {
  const process = new LineProcess(command);
  try {
    const checks: ProtocolCheck[] = [];
    const hello = { operation: "hello", protocol: PROTOCOL, diskproof: "doctor" };
    const requests: [string, { readonly [key: string]: Json }, readonly string[]][] = [
      ["it answers hello", hello, ["ok", "unsupported"]],
      ["an unknown operation is unsupported", { operation: UNKNOWN, image }, UNSUPPORTED],
      [
        "an unknown member of a request is ignored, and any id is repeated",
        { operation: "probe", image: missing, "x-unknown": [1] },
        ["rejected", "unsupported", "ok"],
      ],
      [
        "an image that does not exist is rejected",
        { operation: "digest", image: missing },
        ["rejected", "unsupported"],
      ],
    ];
    for (const [at, [what, request, right]] of requests.entries()) {
      const id = `${at}-ä`;
      const reply = await process.ask(JSON.stringify({ id, ...request }), TIMEOUT_MS);
      checks.push({ what, problems: replyProblems(reply, id, right) });
      const described = request === hello ? okIn(reply) : undefined;
      if (described !== undefined) {
        checks.push({ what: DESCRIPTION, problems: descriptionProblems(described) });
      }
      // It has ended, and so have the questions.
      if ("end" in reply) return checks;
    }
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    const extra = process.stray;
    checks.push({
      what: "it prints answers and nothing else",
      problems: extra.length === 0
        ? []
        : [`it printed '${textOfBytes(extra)}' after an answer: messages go to standard error`],
    });
    checks.push({
      what: "it ends when its standard input ends",
      problems: await process.finish() ? [] : ["it goes on for more than half a second"],
    });
    return checks;
  } finally {
    await process.close();
  }
}

const UNSUPPORTED = ["unsupported"];

/** The value of `ok` in a reply. */
function okIn(reply: LineReply): Json | undefined {
  const json = "line" in reply ? parsed(reply.line) : undefined;
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? (json as { readonly [key: string]: Json })["ok"]
    : undefined;
}

function replyProblems(reply: LineReply, id: string, right: readonly string[]): string[] {
  if ("end" in reply) {
    const { end, stderr, printed } = reply;
    const said = stderr === "" ? "" : `; standard error ends with: ${stderr.slice(-300)}`;
    const partial = printed.length === 0 ? "" : ` after '${textOfBytes(printed)}'`;
    if (end.kind === "timed-out") {
      return [
        `it printed no line within ${TIMEOUT_MS / 1000} s${partial}: is each answer flushed?`,
      ];
    }
    return [`it ended (${JSON.stringify(end)})${partial}${said}`];
  }
  const text = textOfBytes(reply.line);
  if (reply.more) return [`it printed other output after '${text}'`];
  const json = parsed(reply.line);
  if (json === undefined) {
    return [`it printed '${text}', which is not JSON: only answers go to standard output`];
  }
  const problems = problemsOfEnvelope(json).map((it) => `${it} in '${text}'`);
  if (problems.length > 0) return problems;
  const answer = json as { readonly [key: string]: Json };
  if (answer["id"] !== id) {
    return [`the answer has the id ${JSON.stringify(answer["id"])} and not ${JSON.stringify(id)}`];
  }
  const kind = ["ok", "rejected", "unsupported", "crashed"].find((it) => it in answer) ?? "";
  return right.includes(kind)
    ? []
    : [`the answer is '${kind}', and not ${right.join(" or ")}: '${text}'`];
}

/**
 * What an adapter does that is called once for each question.
 *
 * @param path an image that exists, in a directory
 */
export async function checkCalls(
  command: readonly string[],
  { directory, path }: { directory: string; path: string },
): Promise<ProtocolCheck[]> {
  const call = async (...args: string[]) => {
    const { end, stdout, stderr } = await runTool([...command, ...args], {
      directory,
      inheritEnvironment: true,
    });
    const status = end.kind === "exited" ? `exit status ${end.code}` : JSON.stringify(end);
    return { status, code: end.kind === "exited" ? end.code : -1, stdout, stderr };
  };
  const described = await call("describe");
  const unknown = await call(UNKNOWN, path);
  const missing = await call("digest", "no-such-image");
  const probed = await call("probe", path);
  const description = described.code === 0 ? parsed(described.stdout) : undefined;
  return [
    ...description === undefined
      ? []
      : [{ what: DESCRIPTION, problems: descriptionProblems(description) }],
    {
      what: "describe prints a description, or exits with status 3",
      problems: described.code === 0
        ? streamProblems(described)
        : statusProblems(described, [UNSUPPORTED_STATUS]),
    },
    {
      what: "an unknown operation is unsupported: exit status 3",
      problems: statusProblems(unknown, [UNSUPPORTED_STATUS]),
    },
    {
      what: "an image that does not exist is rejected: exit status 1",
      problems: statusProblems(missing, [REJECTED_STATUS, UNSUPPORTED_STATUS]),
    },
    {
      what: "answers are on standard output",
      problems: probed.code === 0 ? streamProblems(probed) : [],
    },
  ];
}

const REJECTED_STATUS = 1;
const UNSUPPORTED_STATUS = 3;

interface Called {
  readonly status: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function statusProblems({ status, code, stderr }: Called, right: readonly number[]): string[] {
  if (right.includes(code)) return [];
  const said = stderr.trim() === "" ? "" : `; it said: ${stderr.trim().slice(-300)}`;
  return [`${status}, and not ${right.join(" or ")}${said}`];
}

function streamProblems({ stdout, stderr }: Called): string[] {
  if (parsed(stdout) !== undefined) return [];
  return parsed(stderr) === undefined
    ? [`it printed '${stdout.slice(0, 200)}', which is not JSON`]
    : ["it prints its answer on standard error"];
}
