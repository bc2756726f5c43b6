import type { Json } from "../../format/mod.ts";
import {
  checkReport,
  countsIn,
  infoIn,
  isMembers,
  mapIn,
  type Members,
  membersOf,
  NO_CHECKER,
  ShapeError,
} from "../answers.ts";
import type { Answers } from "../forwarding.ts";
import {
  accepted,
  type CheckReport,
  type DigestReport,
  type Outcome,
  rejected,
  type UnlockReport,
  unsupported,
} from "../peer.ts";

/** How an answer to each operation is read; each throws a `ShapeError`. */
const READERS: { readonly [O in keyof Answers]: (json: Json) => Answers[O] } = {
  probe: probeIn,
  info: (json) => infoIn(withNumbers(json, ["virtual-size"])),
  map: (json) =>
    mapIn(Array.isArray(json) ? json.map((entry) => withNumbers(entry, POSITIONS)) : json),
  check: checkIn,
  digest: (json) => digestIn(withNumbers(json, ["length"])),
  unlock: unlockIn,
};

/**
 * The answer to a question.
 *
 * @throws {ShapeError} for JSON of another shape
 */
export function readAnswer<O extends keyof Answers>(operation: O, json: Json): Answers[O] {
  return READERS[operation](json);
}

/** The members of an answer of a long-lived adapter: one of them is present. */
export const ANSWER_KINDS = ["ok", "rejected", "unsupported", "crashed"] as const;

/**
 * The outcome in an answer of a long-lived adapter.
 *
 * @param read reads the value of `ok`
 * @throws {ShapeError} for JSON of another shape
 */
export function outcomeIn<T>(json: Json, read: (json: Json) => T): Outcome<T> {
  const answer = membersOf(json);
  const [kind, ...others] = ANSWER_KINDS.filter((it) => Object.hasOwn(answer, it));
  if (kind === undefined || others.length > 0) {
    throw new ShapeError(`The answer has not exactly one of ${ANSWER_KINDS.join(", ")}`);
  }
  if (kind === "ok") return accepted(read(answer["ok"] as Json));
  const message = textOf(answer, kind);
  switch (kind) {
    case "rejected":
      return rejected(message);
    case "crashed":
      return { outcome: "crashed", message };
    case "unsupported": {
      const { feature } = answer;
      return typeof feature === "string"
        ? { outcome: "unsupported", message, feature }
        : unsupported(message);
    }
  }
}

function textOf(answer: Members, kind: string): string {
  const text = answer[kind];
  if (typeof text === "string") return text;
  throw new ShapeError(`The answer has a value of ${kind} that is not a text`);
}

const POSITIONS = ["start", "length", "offset"];

/** Numbers may come as decimal strings: not every writer of JSON keeps those above 2^53. */
function withNumbers(json: Json, keys: readonly string[]): Json {
  if (!isMembers(json)) return json;
  const exact = keys.flatMap((key) => {
    const value = json[key];
    const isDecimal = typeof value === "string" && /^\d{1,20}$/.test(value);
    return isDecimal ? [[key, Number(BigInt(value))]] : [];
  });
  return exact.length === 0 ? json : { ...json, ...Object.fromEntries(exact) };
}

function probeIn(json: Json): { format: string } {
  const { format } = membersOf(json);
  if (typeof format === "string") return { format };
  throw new ShapeError("The answer to probe has no format");
}

/** The exit status follows from the counts, where the adapter does not give it itself. */
function checkIn(json: Json): CheckReport {
  const { "exit-status": status } = membersOf(json);
  if (status === NO_CHECKER) return { exitCode: status };
  const counts = countsIn(json);
  return typeof status === "number" ? { exitCode: status, counts } : checkReport(counts);
}

function digestIn(json: Json): DigestReport {
  const answer = membersOf(json);
  if (typeof answer["sha256"] === "string") return answer as unknown as DigestReport;
  throw new ShapeError("The answer to digest has no sha256");
}

function unlockIn(json: Json): UnlockReport {
  const { slot } = membersOf(json);
  if (slot === undefined) return {};
  if (typeof slot === "number") return { slot };
  throw new ShapeError("The answer to unlock has a slot that is not a number");
}
