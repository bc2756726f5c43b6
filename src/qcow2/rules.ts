import { defineRules, type Rule } from "../rules/mod.ts";
import { accessRules } from "./rules/access.ts";
import { openRules } from "./rules/open.ts";

/** The slug of a rule of qcow2. */
export type Qcow2Rule = keyof typeof openRules | keyof typeof accessRules;

/** The rules that do not apply with the dirty bit, which means that refcounts may be stale. */
const EXCUSED_WHEN_DIRTY = [
  "qcow2.l2e.copied",
  "qcow2.write.alloc-zero",
  "qcow2.check.refblock-shared",
  "qcow2.check.refcount-read",
  "qcow2.check.refcount-low",
  "qcow2.check.refcount-high",
  "qcow2.check.refcount-overflow",
  "qcow2.check.copied-l1",
  "qcow2.check.copied-l2",
] as const;

/** The rules of qcow2, in the order in which an image is judged. */
export const qcow2Rules: readonly Rule[] = Object.freeze([
  ...defineRules(openRules),
  ...defineRules(accessRules, EXCUSED_WHEN_DIRTY),
]);
