import type { Recipe } from "../golden/matrix.ts";
import {
  type GoldenAnswers,
  type GoldenFailure,
  type GoldenReport,
  type QemuImgPeer,
  questionsOf,
  readRecord,
  RecordedPeer,
} from "../src/peers/mod.ts";
import type { Json } from "../src/format/mod.ts";
import { buildGolden, installedTools, RecipeError } from "./golden_build.ts";

/** A report, and the images that could be made. */
export interface RebuildReport extends GoldenReport {
  readonly names: readonly string[];
}

/** Keys of `info` that tell of the moment when an image was made. */
const VOLATILE = ["date-sec", "date-nsec"];

/**
 * Makes images anew with the installed tools. Where these are of the version that made the recorded
 * ones, the answers are compared with the recorded ones, but for the dates of snapshots; another
 * version may lay an image out in another way, or refuse a recipe.
 */
export async function rebuildGolden(
  recipes: readonly Recipe[],
  options: { recorded: string; images: string; installed: QemuImgPeer },
): Promise<RebuildReport> {
  const { version } = await options.installed.describe();
  const names: string[] = [];
  const failures: GoldenFailure[] = [];
  let asked = 0;
  for (const recipe of recipes) {
    const recorded = readRecord(options.recorded, recipe.name);
    const sameTool = recorded.builder === version;
    try {
      const made = await buildGolden(recipe, { images: options.images, tools: installedTools() });
      names.push(recipe.name);
      const pair = { before: recorded.answers[version], now: made.answers[version] };
      if (!sameTool || pair.before === undefined || pair.now === undefined) continue;
      const compared = await compareAnswers({ before: pair.before, now: pair.now, version });
      asked += compared.questions;
      failures.push(...compared.failures.map((it) => ({ ...it, image: recipe.name })));
    } catch (error) {
      if (sameTool || !(error instanceof RecipeError)) throw error;
    }
  }
  return { images: names.length, questions: asked, unsupported: 0, failures, names };
}

async function compareAnswers(
  sides: { before: GoldenAnswers; now: GoldenAnswers; version: string },
): Promise<{ questions: number; failures: Omit<GoldenFailure, "image">[] }> {
  const { version } = sides;
  const before = timeless(sides.before);
  const peer = new RecordedPeer(timeless(sides.now), { version });
  const questions = questionsOf([before]);
  const failures = [];
  for (const question of questions) {
    const answer = await question.pose(peer, { path: "" });
    const differences = await answer.against(before, version);
    if (differences.length === 0) continue;
    failures.push({ question: question.name, recordedBy: [version], differences });
  }
  return { questions: questions.length, failures };
}

function timeless(answers: GoldenAnswers): GoldenAnswers {
  const { json, ...info } = answers.info;
  return json === undefined ? answers : { ...answers, info: { ...info, json: withoutDates(json) } };
}

function withoutDates(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutDates);
  const kept = Object.entries(value).filter(([key]) => !VOLATILE.includes(key));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutDates(member)]));
}
