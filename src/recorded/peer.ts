import { formatNamesOf } from "../formats.ts";
import type { FailedOutcome } from "./known.ts";
import type { DigestAnswer, GoldenAnswers, NoAnswer, ToolAnswer } from "./record.ts";
import {
  type CheckReport,
  type DigestReport,
  type DigestScope,
  failure,
  type InfoReport,
  type MapEntry,
  type Outcome,
  type Peer,
  type PeerDescription,
  PeerError,
  readCheck,
  readInfo,
  readMap,
  type ToolEnd,
  type ToolResult,
} from "../peers/mod.ts";

/** Recorded answers about one image as a peer, whatever subject it is asked about. */
export class RecordedPeer implements Peer {
  readonly #answers: GoldenAnswers;
  readonly #version: string;

  constructor(answers: GoldenAnswers, options: { version: string }) {
    this.#answers = answers;
    this.#version = options.version;
  }

  describe(): Promise<PeerDescription> {
    return Promise.resolve({
      name: "recorded qemu-img",
      version: this.#version,
      operations: ["probe", "info", "map", "check", "digest"],
      formats: formatNamesOf("qemu-img"),
    });
  }

  async probe(): Promise<Outcome<{ format: string }>> {
    const info = await this.info();
    return info.outcome === "accepted"
      ? { outcome: "accepted", value: { format: info.value.format } }
      : info;
  }

  info(): Promise<Outcome<InfoReport>> {
    return Promise.resolve(readInfo(toolResult(this.#answers.info)));
  }

  map(): Promise<Outcome<readonly MapEntry[]>> {
    const { map } = this.#answers;
    return Promise.resolve(
      map === undefined
        ? { outcome: "unsupported", message: "No map is recorded" }
        : readMap(toolResult(map)),
    );
  }

  check(): Promise<Outcome<CheckReport>> {
    return Promise.resolve(readCheck(toolResult(this.#answers.check)));
  }

  digest(_subject?: unknown, scope: DigestScope = {}): Promise<Outcome<DigestReport>> {
    return Promise.resolve(digestOutcome(this.#digestAnswer(scope)));
  }

  #digestAnswer({ range, snapshot }: DigestScope): DigestAnswer | undefined {
    const { digest, ranges, snapshots } = this.#answers;
    if (snapshot !== undefined) return snapshots?.[snapshot];
    if (range === undefined) return digest;
    const { start, length } = range;
    return ranges?.find((it) => it.start === start && it.length === length)?.digest;
  }
}

function digestOutcome(answer: DigestAnswer | undefined): Outcome<DigestReport> {
  if (answer === undefined) return { outcome: "unsupported", message: "No digest is recorded" };
  if ("rejected" in answer) return { outcome: "rejected", message: answer.rejected };
  if ("sha256" in answer) return { outcome: "accepted", value: answer };
  return unansweredOutcome(answer);
}

/** A recorded crash or hang. */
export function unansweredOutcome(answer: NoAnswer): Outcome<never> {
  return failure({ ...unansweredResult(answer), stdout: "" });
}

/** A recorded answer as if the tool had just printed it. */
function toolResult(answer: ToolAnswer): ToolResult {
  if (!("exitCode" in answer)) return { ...unansweredResult(answer), stdout: "" };
  return {
    end: { kind: "exited", code: answer.exitCode },
    stdout: answer.json === undefined ? "" : JSON.stringify(answer.json),
    stderr: answer.message ?? "",
  };
}

function unansweredResult(answer: NoAnswer): { end: ToolEnd; stderr: string } {
  return "crashed" in answer
    ? { end: { kind: "crashed", signal: answer.crashed }, stderr: answer.message ?? "" }
    : { end: { kind: "timed-out", timeoutMs: answer.hung * SECOND }, stderr: "" };
}

const SECOND = 1000;
/** A tool may have a line to say about each of a thousand clusters. */
const MESSAGE_MAX = 2000;

/**
 * What a tool printed and how it ended, for a record.
 *
 * @throws {PeerError} when it printed more than anybody reads
 */
export function recordedTool({ end, stdout, stderr }: ToolResult): ToolAnswer {
  const message = stderr.trim().slice(0, MESSAGE_MAX);
  switch (end.kind) {
    case "flooded":
      throw new PeerError(`Cannot record an answer: it is longer than ${end.limit} bytes`);
    case "timed-out":
      return { hung: end.timeoutMs / SECOND };
    case "crashed":
      return { crashed: end.signal, ...(message === "" ? {} : { message }) };
    case "exited":
      break;
  }
  const said = end.code === 0 ? {} : { message };
  try {
    return { exitCode: end.code, json: JSON.parse(stdout), ...said };
  } catch {
    // A map that fails half-way leaves half of its text; a refused image leaves none.
    return { exitCode: end.code, ...said };
  }
}

/**
 * What became of a conversion, for a record.
 *
 * @throws {PeerError} when it was not tried
 */
export function recordedDigest(outcome: Outcome<DigestReport>): DigestAnswer {
  return recordedOutcome(outcome, "a digest");
}

/**
 * An answer as it stands in a record, or why there is none.
 *
 * @param what it is an answer about: `a digest`
 * @throws {PeerError} when the peer does not answer such questions
 */
export function recordedOutcome<T>(
  outcome: Outcome<T>,
  what: string,
): T | { readonly rejected: string } | NoAnswer {
  switch (outcome.outcome) {
    case "accepted":
      return outcome.value;
    case "rejected":
      return { rejected: outcome.message };
    case "unsupported":
      throw new PeerError(`Cannot record ${what}: ${outcome.message}`);
    default:
      return unanswered(outcome);
  }
}

/** A crash or a time-out, for a record. */
export function unanswered(
  { outcome, message }: FailedOutcome,
): NoAnswer {
  if (outcome === "timed-out") return { hung: Number(/(\d+) ms/.exec(message)?.[1] ?? 0) / SECOND };
  const [, crashed = "", said = ""] = /^(\w+): ?(.*)$/s.exec(message) ?? [];
  return { crashed, ...(said === "" ? {} : { message: said.slice(0, MESSAGE_MAX) }) };
}
