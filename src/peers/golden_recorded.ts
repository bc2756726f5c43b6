import { type DigestAnswer, type GoldenAnswers, type ToolAnswer } from "./golden_record.ts";
import type {
  CheckReport,
  DigestReport,
  DigestScope,
  InfoReport,
  MapEntry,
  Outcome,
  Peer,
  PeerDescription,
} from "./peer.ts";
import type { ToolResult } from "./process.ts";
import { readCheck, readInfo, readMap } from "./qemu_img_answers.ts";

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
      formats: ["raw", "qcow", "qcow2", "luks"],
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
  return "rejected" in answer
    ? { outcome: "rejected", message: answer.rejected }
    : { outcome: "accepted", value: answer };
}

/** A recorded answer as if the tool had just printed it. */
function toolResult(answer: ToolAnswer): ToolResult {
  return {
    end: { kind: "exited", code: answer.exitCode },
    stdout: answer.json === undefined ? "" : JSON.stringify(answer.json),
    stderr: answer.message ?? "",
  };
}
