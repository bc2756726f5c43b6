import { AccessError, type MapEntry } from "../../src/format/mod.ts";
import { infoOf, mapOf } from "../../src/image/mod.ts";
import {
  checkOutcome,
  compareCheck,
  compareInfo,
  compareMap,
  mergeMap,
  type Outcome,
} from "../../src/peers/mod.ts";
import type { About } from "../engine/mod.ts";
import type { Seen } from "./observation.ts";
import { aboutFinding, type Asked, differences, type Ours } from "./outcomes.ts";
import type { Toolbox } from "./tools.ts";

/** A question to qemu-img. */
export type QemuQuestion = "info" | "map" | "check";

/** Compares one answer of qemu-img with that of the reference. */
export async function compareAnswer(
  asked: Asked,
  question: QemuQuestion,
  tools: Toolbox,
): Promise<Seen[]> {
  const { peer, version } = tools.qemuImg;
  const { subject, image } = asked;
  const by = { tool: "qemu-img", version, question } as const;
  switch (question) {
    case "info":
      return differences(asked, by, {
        ours: answerOf(asked, "info", () => infoOf({ ...image, path: subject.path })),
        theirs: await peer.info(subject),
        compare: (a, b) => compareInfo(a, b, { version }),
      });
    case "map": {
      const ours = answerOf(asked, "read", () => {
        const { entries, error } = mapOf(image);
        if (error !== undefined) throw error;
        return mergeMap(entries);
      });
      const theirs = merged(await peer.map(subject));
      return differences(asked, by, {
        ours,
        theirs,
        compare: (a, b) => compareMap(a, b, { version }),
        about: (path) => guestOffsetAt(path, [ours, theirs]),
      });
    }
    case "check":
      return differences(asked, by, {
        ours: ourCheck(asked),
        theirs: await peer.check(subject),
        compare: compareCheck,
        about: (path) => aboutCheck(asked, path),
      });
  }
}

function answerOf<T>(
  { image: { findings, layer } }: Asked,
  opening: "info" | "read" | "check",
  answer: () => T,
): Ours<T> {
  const refusal = findings.refusal(opening);
  if (refusal !== undefined) {
    return { outcome: "rejected", message: refusal.message, rule: refusal.rule };
  }
  if (layer === undefined) return { outcome: "rejected", message: "The image does not open" };
  try {
    return { outcome: "accepted", value: answer() };
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    return { outcome: "rejected", message: error.message, rule: error.broken.rule };
  }
}

type CheckAnswer = Extract<ReturnType<typeof checkOutcome>, { outcome: "accepted" }>["value"];

function ourCheck(asked: Asked): Ours<CheckAnswer> {
  const opened = answerOf(asked, "check", () => checkOutcome(asked.image));
  if (opened.outcome === "rejected") return opened;
  const { value } = opened;
  if (value.outcome === "accepted") return value;
  const ended = asked.image.findings.list().find(({ effect }) => effect === "check-error");
  return {
    outcome: "rejected",
    message: value.message,
    ...(ended === undefined ? {} : { rule: ended.rule }),
  };
}

function merged(theirs: Outcome<readonly MapEntry[]>): Outcome<readonly MapEntry[]> {
  return theirs.outcome === "accepted" ? { ...theirs, value: mergeMap(theirs.value) } : theirs;
}

/** The guest offset of the map entry that a path is in. */
function guestOffsetAt(
  path: string,
  maps: readonly (Ours<readonly MapEntry[]> | Outcome<readonly MapEntry[]>)[],
): About {
  const index = Number(path.split("/")[1]);
  const entries = maps.flatMap((map) => map.outcome === "accepted" ? [map.value[index]] : []);
  const entry = entries.find((candidate) => candidate !== undefined);
  return entry === undefined ? { path } : { guestOffset: entry.start };
}

/** The offset of the first finding that a check counts. */
function aboutCheck({ image }: Asked, path: string): About {
  const effect = path.endsWith("/leaks") ? "leak" : "corruption";
  const finding = image.findings.list().find((it) => it.effect === effect);
  return finding === undefined ? { path: "/refcount_table" } : aboutFinding(finding);
}
