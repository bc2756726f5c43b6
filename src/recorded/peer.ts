import { formatNamesOf } from "../formats.ts";
import {
  accepted,
  type Answers,
  type DigestScope,
  ForwardingPeer,
  type Outcome,
  type PeerDescription,
  readCheck,
  readInfo,
  readMap,
  type Subject,
  unsupported,
} from "../peers/mod.ts";
import { digestRecorded, toolResult } from "./answers.ts";
import type { QemuImgAnswers } from "./record.ts";

/** How the answer to each operation is read from a record. */
const READERS: {
  readonly [O in keyof Answers]: (
    answers: QemuImgAnswers,
    scope: DigestScope,
  ) => Outcome<Answers[O]>;
} = {
  probe: ({ info: answer }) => {
    const info = readInfo(toolResult(answer));
    return info.outcome === "accepted" ? accepted({ format: info.value.format }) : info;
  },
  info: ({ info }) => readInfo(toolResult(info)),
  map: ({ map }) =>
    map === undefined ? unsupported("No map is recorded") : readMap(toolResult(map)),
  check: ({ check }) => readCheck(toolResult(check)),
  digest: ({ digest, ranges, snapshots }, { range, snapshot }) => {
    if (snapshot !== undefined) return digestRecorded(snapshots?.[snapshot]);
    if (range === undefined) return digestRecorded(digest);
    const { start, length } = range;
    return digestRecorded(
      ranges?.find((it) => it.start === start && it.length === length)?.digest,
    );
  },
  unlock: () => unsupported("No key slot is recorded"),
};

/** The recorded answer to an operation. */
export function recordedAnswer<O extends keyof Answers>(
  answers: QemuImgAnswers,
  operation: O,
  scope: DigestScope = {},
): Outcome<Answers[O]> {
  return READERS[operation](answers, scope);
}

/** The recorded answers about one image as a peer, whatever the subject. */
export class RecordedPeer extends ForwardingPeer {
  readonly #answers: QemuImgAnswers;
  readonly #version: string;

  constructor(answers: QemuImgAnswers, options: { version: string }) {
    super();
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

  protected override ask<O extends keyof Answers>(
    operation: O,
    _subject: Subject,
    scope?: DigestScope,
  ): Promise<Outcome<Answers[O]>> {
    return Promise.resolve(recordedAnswer(this.#answers, operation, scope));
  }
}
