import { checkVerb } from "./check.ts";
import { convertVerb } from "./convert.ts";
import { createVerb } from "./create.ts";
import { digestVerb } from "./digest.ts";
import { infoVerb } from "./info.ts";
import { inspectVerb } from "./inspect.ts";
import { judgeVerb } from "./judge.ts";
import { keyVerb } from "./key.ts";
import { mapVerb } from "./map.ts";
import { validateVerb } from "./validate.ts";
import type { Verb } from "./verb.ts";

/** The verbs that need nothing but the library. */
export const verbs: readonly Verb[] = [
  infoVerb,
  mapVerb,
  checkVerb,
  judgeVerb,
  inspectVerb,
  digestVerb,
  convertVerb,
  createVerb,
  keyVerb,
  validateVerb,
];
