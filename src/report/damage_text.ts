import type { DamageSummary, Json } from "../format/mod.ts";
import { sizeText } from "./size_text.ts";

/** A summary of damage for a person: how much of the content is affected, and then each cause. */
export function damageLines({ affected, content, causes }: DamageSummary): string[] {
  const share = content === 0 ? 0 : 100 * affected / content;
  const percent = share > 0 && share < 0.1 ? "less than 0.1 %" : `${Number(share.toFixed(1))} %`;
  const first = affected === 0
    ? "no content is affected"
    : `${percent} of the content is affected: ${sizeText(affected)} of ${sizeText(content)}`;
  return [first, ...causes.map(({ message }) => message)];
}

/** The same for a program. */
export function damageJson({ affected, content, causes }: DamageSummary): Json {
  return {
    affected,
    content,
    causes: causes.map(({ cause, message, clusters, guest }) => ({
      cause,
      message,
      ...(clusters === undefined ? {} : { clusters }),
      ...(guest === undefined ? {} : {
        guest: {
          bytes: guest.bytes,
          count: guest.count,
          ranges: guest.listed.map(({ offset, length }) => ({ start: offset, length })),
        },
      }),
    })),
  };
}
