import { hasSpoken, type ImageRecord, questionsOf } from "../../../src/recorded/mod.ts";
import type { Item } from "./aspect.ts";

/** The images with an answer that no tool and no other implementation has given. */
export function aloneIn(records: readonly ImageRecord[]): Item[] {
  return records.flatMap((record) => {
    const questions = questionsOf(record).filter(({ name, recorded }) => {
      const expectation = record.expected?.answers[name];
      return expectation?.verdict !== "either" && record.witnesses?.[name] === undefined &&
        !recorded.some(({ outcome, fault }) => fault === undefined && hasSpoken(outcome));
    });
    if (questions.length === 0) return [];
    const because = questions.map(({ name }) => name).join(", ");
    return [{ name: record.name, images: [], because }];
  });
}
