import { type Format, mustHaveNoPassphrase } from "../format/mod.ts";
import { buildRaw, rawContent } from "./build.ts";
import { createRaw, type RawCreation } from "./create.ts";
import { rawDriver } from "./driver.ts";
import { rawEditor } from "./editor.ts";
import type { RawModel } from "./model.ts";

/** Raw images. */
export const format: Format<RawModel, "raw", RawCreation> = {
  name: "raw",
  title: "raw image",
  aliases: [],
  structures: [],
  rules: [],
  tools: ["qemu-img"],
  driver: rawDriver,
  features: { raw: "a raw image" },
  featuresOf: () => ["raw"],
  verdict: { tool: "qemu-img" },
  writer: { normalise: (model) => model, build: buildRaw, content: rawContent },
  editor: rawEditor,
  create: {
    options: [],
    plan: (request) => {
      mustHaveNoPassphrase(request);
      const { size, content } = request;
      return { size, ...(content === undefined ? {} : { content }) };
    },
    make: createRaw,
  },
};
