import { AnatomyCollector, type Format, structRows } from "../format/mod.ts";
import type { Struct } from "../layout/mod.ts";

/** What is known of a foreign format. */
export interface Foreign {
  /** QEMU's name of it: `vmdk`. */
  readonly name: string;
  /** For a person: `VMDK`. */
  readonly title: string;
  /** What its images start with, where that is a structure. */
  readonly struct?: Struct;
  /** QEMU's score where the format is recognised; the highest one where it is absent. */
  readonly score?: number;
  /** See {@link Format.driver}. */
  probe(head: Uint8Array, name?: string): boolean;
}

/** A foreign format as a format: it is recognised and named, and nothing more. */
export function foreignFormat({ name, title, struct, score, probe }: Foreign): Format {
  const definition: Format<never> = {
    name,
    title,
    aliases: [],
    structures: struct === undefined ? [] : [struct],
    rules: [],
    tools: ["qemu-img"],
    foreign: true,
    driver: {
      probe,
      ...(score === undefined ? {} : { score }),
      open(_, findings) {
        const message = `The file is a ${title} image, which diskproof does not read`;
        findings.add("blk.probe.foreign", { path: "/", offset: 0 }, message);
        return undefined;
      },
      anatomy(source, options) {
        const collector = new AnatomyCollector(options, source);
        if (struct !== undefined) {
          const place = { path: "/header", offset: 0, length: struct.size };
          const rows = structRows(struct, source, place);
          collector.part({ ...place, title: `${title} header`, rows });
          collector.claim({ ...place, kind: "header" });
        }
        collector.unknown(`The ${title} format is not read`);
        return collector.done();
      },
    },
    verdict: { tool: "qemu-img" },
    // There is no model, and nothing to build from one.
    writer: { normalise: (model) => model, build: (model) => model, content: (model) => model },
  };
  return Object.freeze(definition) as Format;
}
