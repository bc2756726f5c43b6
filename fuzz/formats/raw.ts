import type { RawModel } from "../../src/raw/mod.ts";
import { rawFormat } from "../../src/raw/mod.ts";
import { rawModels } from "./chain/models.ts";
import type { Kit } from "./kit.ts";

/** The kit of raw images, which are interesting to write to alone. */
export const raw: Kit<RawModel> = {
  format: rawFormat,
  models: () => rawModels(),
  describe: ({ size, pattern }) => `raw, ${size} bytes of ${pattern.kind}`,
};
