/** Images that were added as they are, and that no model builds: their records are all there is. */

import { MemorySource } from "../../src/bytes/mod.ts";
import type { FormatName } from "../../src/formats.ts";
import {
  ADDED,
  type ImageRecord,
  readRecord,
  readRecordFiles,
  recordNames,
} from "../../src/recorded/mod.ts";
import { aboutOf, type CorpusImage } from "./corpus_image.ts";

/** The added images of a directory. */
export function addedImages(images: string): CorpusImage[] {
  return recordNames(images).filter((name) => name.startsWith(ADDED)).map((name) => {
    const record = readRecord(images, name);
    return corpusImage(record, () => readRecordFiles(images, record));
  });
}

/** A recorded image as one of the corpus. */
export function corpusImage(record: ImageRecord, read: () => Uint8Array[]): CorpusImage {
  const { name, features, shows = "", changes = [], subject } = record;
  const { header, passphrases = [], files } = record;
  const [rule, does] = features;
  const format = record.format as FormatName | undefined;
  return {
    name,
    features,
    ...does === "breaks" || does === "keeps" ? { rule: rule ?? "", does } : {},
    shows,
    ...aboutOf(record),
    changes,
    format,
    build: () => {
      const sources = Object.fromEntries(
        read().map((bytes, at) => [files[at]?.name ?? "", new MemorySource(bytes)]),
      );
      const { [subject]: image = new MemorySource(new Uint8Array()), ...others } = sources;
      return {
        image,
        stored: image.size,
        files: others,
        ...header === undefined ? {} : { header },
        ...format === undefined ? {} : { format },
        passphrases,
      };
    },
  };
}
