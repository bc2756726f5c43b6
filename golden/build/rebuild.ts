import type { Recipe } from "../recipes/mod.ts";
import { type QemuImgPeer } from "../../src/peers/mod.ts";
import {
  type QemuImgAnswers,
  questionsOf,
  readRecord,
  RecordedPeer,
  type VerifyFailure,
  type VerifyReport,
} from "../../src/recorded/mod.ts";
import type { Json } from "../../src/format/mod.ts";
import { buildGolden, installedTools, RecipeError, whyNotMade } from "./build.ts";

/** A report, the rebuilt images, and why others were not rebuilt. */
export interface RebuildReport extends VerifyReport {
  /** Those whose bytes differ from the recorded ones, or which this version has not answered. */
  readonly names: readonly string[];
  /** Number of images that have the recorded bytes, about which nothing is asked again. */
  readonly same: number;
  readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Keys of `info` that depend on the time, on random numbers, or on the machine's speed of PBKDF2.
 */
const VOLATILE = ["date-sec", "date-nsec", "uuid", "iters", "master-key-iters"];
/** By default, one of this many images that take qemu-img seconds is rebuilt. */
const SLOW_STEP = 8;

/** The recipes whose images are rebuilt by default. */
export function chosenForRebuild(recipes: readonly Recipe[]): Recipe[] {
  const slow = recipes.filter(({ commands }) => {
    return commands.some(({ argv }) => argv.some((word) => word.includes("iter-time=")));
  });
  const left = new Set(slow.filter((_, index) => index % SLOW_STEP > 0));
  return recipes.filter((recipe) => !left.has(recipe));
}

/**
 * Rebuilds images with the installed tools. If these have the version that created the recorded
 * images, the answers are compared, except for parts that differ each time. Another version may lay
 * out an image differently, or reject a recipe.
 */
export async function rebuildGolden(
  recipes: readonly Recipe[],
  options: { recorded: string; images: string; installed: QemuImgPeer },
): Promise<RebuildReport> {
  const { version } = await options.installed.describe();
  const names: string[] = [];
  const failures: VerifyFailure[] = [];
  const passedOver: { name: string; reason: string }[] = [];
  const tools = await installedTools();
  let asked = 0;
  let same = 0;
  for (const recipe of recipes) {
    const reason = whyNotMade(recipe, tools);
    if (reason !== undefined) {
      passedOver.push({ name: recipe.name, reason });
      continue;
    }
    const recorded = readRecord(options.recorded, recipe.name);
    try {
      const answered = recorded.answers[version] === undefined ? undefined : recorded;
      const made = await buildGolden(recipe, { images: options.images, tools, answered });
      if (made === answered) {
        same++;
        continue;
      }
      names.push(recipe.name);
      const sameTool = recorded.builder === version && recorded.cryptsetup === made.cryptsetup;
      const pair = { before: recorded.answers[version], now: made.answers[version] };
      if (!sameTool || pair.before === undefined || pair.now === undefined) continue;
      const { contentVaries = false } = recipe;
      const sides = { before: pair.before, now: pair.now, version, contentVaries };
      const compared = await compareAnswers(sides);
      asked += compared.questions;
      failures.push(...compared.failures.map((it) => ({ ...it, image: recipe.name })));
    } catch (error) {
      if (recorded.builder === version || !(error instanceof RecipeError)) throw error;
    }
  }
  const counts = { images: names.length, questions: asked, unsupported: 0 };
  return { ...counts, failures, known: [], names, same, passedOver };
}

async function compareAnswers(
  sides: { before: QemuImgAnswers; now: QemuImgAnswers; version: string; contentVaries: boolean },
): Promise<{ questions: number; failures: Omit<VerifyFailure, "image">[] }> {
  const { version } = sides;
  const before = timeless(sides.before);
  const peer = new RecordedPeer(timeless(sides.now), { version });
  const questions = questionsOf({ answers: { [version]: before } }).filter(({ name }) => {
    return !sides.contentVaries || !name.startsWith("digest");
  });
  const failures = [];
  for (const question of questions) {
    const answer = await question.pose(peer, { path: "" });
    const differences = answer.against(version, version);
    if (differences.length === 0) continue;
    failures.push({ question: question.name, recordedBy: [`qemu-img ${version}`], differences });
  }
  return { questions: questions.length, failures };
}

function timeless(answers: QemuImgAnswers): QemuImgAnswers {
  if (!("exitCode" in answers.info)) return answers;
  const { json, ...info } = answers.info;
  return json === undefined ? answers : { ...answers, info: { ...info, json: withoutDates(json) } };
}

function withoutDates(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutDates);
  const kept = Object.entries(value).filter(([key]) => !VOLATILE.includes(key));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutDates(member)]));
}
