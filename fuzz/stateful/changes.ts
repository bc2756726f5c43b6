import { patternBytes } from "../../src/format/mod.ts";
import type { Change, ChangeOperation } from "../../src/peers/mod.ts";
import type { Action } from "./step.ts";
import type { Facts } from "./state.ts";

/** The change that an implementation gets for an action; `undefined` if the protocol has none. */
export function changeOf(action: Action): Change | undefined {
  switch (action.do) {
    case "write": {
      const { range: { start, end }, pattern } = action;
      return { operation: "write", offset: start, data: patternBytes(pattern, end - start) };
    }
    case "zero":
    case "discard": {
      const { start, end } = action.range;
      const operation = action.do === "zero" ? "write-zeroes" : "discard";
      return { operation, offset: start, length: end - start };
    }
    case "flush":
      return { operation: "flush" };
    case "reopen":
      return { operation: "close" };
    case "resize":
      return { operation: "resize", size: action.size };
    case "snapshot":
      return { operation: "snapshot-create", snapshot: action.name };
    case "apply":
      return { operation: "snapshot-apply", snapshot: action.name };
    case "delete":
      return { operation: "snapshot-delete", snapshot: action.name };
    default:
      return undefined;
  }
}

/** The facts of an image for an implementation with these changes. */
export function factsFor(facts: Facts, changes: readonly ChangeOperation[]): Facts {
  const snapshots = (["create", "apply", "delete"] as const)
    .every((it) => changes.includes(`snapshot-${it}`));
  return {
    ...facts,
    compresses: false,
    bitmaps: false,
    keys: false,
    resizes: facts.resizes && changes.includes("resize"),
    snapshots: facts.snapshots && snapshots,
    zeroes: changes.includes("write-zeroes"),
    discards: changes.includes("discard") ? "anything" : "none",
  };
}
