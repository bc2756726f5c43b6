import type { Json } from "../../../src/format/mod.ts";
import type { PeerDescription } from "../../../src/peers/mod.ts";
import {
  Crew,
  fuzz,
  Ledger,
  type Plan,
  type ReportedFailure,
  type Summary,
} from "../../../fuzz/engine/mod.ts";
import { peerTargets, type PeerUnderTest } from "../../../fuzz/peer/mod.ts";
import { withScratch } from "../../../src/peers/mod.ts";
import { localWorkers } from "../local_worker.ts";
import { plantedPeer } from "./planted.ts";

interface Settings {
  readonly name: string;
  readonly description: PeerDescription;
}

/** The implementation that the settings of a worker name. */
export function underTest(settings: Json | undefined): PeerUnderTest {
  const { name, description } = settings as unknown as Settings;
  return { text: name, description, open: () => plantedPeer(name) };
}

/** Cases in which a failure that was reported can be reported again by mistake. */
const CASES_AFTER = 100;

/**
 * Fuzzes a planted implementation. Each look at the clock takes a millisecond, so that how the run is
 * divided between cases and smaller failures does not depend on the machine. A run with `until` ends
 * `CASES_AFTER` cases after it has reported so many failures, but not before as many cases have failed.
 */
export async function fuzzPlanted(
  name: string,
  { targets, runs, until, seed = 1, ledger = new Ledger(), ...more }: {
    readonly targets?: readonly string[];
    readonly runs: number;
    readonly until?: { readonly reported: number; readonly failed: number };
    readonly seed?: number;
    readonly ledger?: Ledger;
  } & Partial<Omit<Plan, "targets" | "runs" | "seed" | "ledger">>,
): Promise<Summary & { readonly all: readonly ReportedFailure[] }> {
  const described = await plantedPeer(name).describe();
  const description = name === "strict"
    ? { ...described, takes: ["passphrases", "header"] }
    : described;
  const settings = { name, description } as unknown as Json;
  const known = peerTargets([underTest(settings)]);
  const all: ReportedFailure[] = [];
  let cases = 0;
  let enough = Infinity;
  let time = 0;
  const now = () => time++;
  return await withScratch(async (directory) => {
    const crew = new Crew({
      hire: localWorkers((its) => peerTargets([underTest(its)]), now),
      now,
      jobs: 1,
      directory,
      tools: {},
      timeout: 30_000,
      memoryMax: Infinity,
      settings,
    });
    const plan: Plan = {
      targets: known.filter((target) => targets === undefined || targets.includes(target.name)),
      seed,
      milliseconds: Infinity,
      shrinkMilliseconds: 600_000,
      runs,
      artifacts: `${directory}/artifacts`,
      versions: {},
      rules: [],
      ...more,
      ledger,
    };
    const nothing = () => {};
    const summary = await fuzz(plan, crew, {
      started: nothing,
      progress: ({ counts }) => {
        cases = counts.cases;
        const failed = Object.values(counts.failures).reduce((sum, count) => sum + count, 0);
        if (cases >= enough && failed >= (until?.failed ?? 0)) crew.interrupt();
      },
      found: nothing,
      replayed: nothing,
      targetDone: nothing,
      finished: nothing,
      failed: (failure) => {
        all.push(failure);
        if (all.length === until?.reported) enough = cases + CASES_AFTER;
      },
    });
    crew.dismiss();
    return { ...summary, all };
  });
}
