import { print } from "../../src/cli/mod.ts";
import {
  type Finding,
  pathText,
  type Plan,
  type Progress,
  type Replayed,
  type ReportedFailure,
  type Reporter,
  type Summary,
  type TargetResult,
} from "../engine/mod.ts";

/** Interval of progress events in milliseconds. */
const PROGRESS_INTERVAL = 1000;

/** Prints the progress of a run for a program: one JSON object per line, each with its `event`. */
export class JsonReporter implements Reporter {
  #last = performance.now();

  started({ seed, shard, targets, milliseconds, runs, versions }: Plan): void {
    emit("started", {
      seed,
      ...(shard === undefined ? {} : { shard: `${shard.first + 1}/${shard.of}` }),
      targets: targets.map((target) => target.name),
      milliseconds: finite(milliseconds),
      runs: finite(runs),
      versions,
    });
  }

  progress(progress: Progress): void {
    const now = performance.now();
    if (now - this.#last < PROGRESS_INTERVAL) return;
    this.#last = now;
    emit("progress", { ...progress });
  }

  replayed({ name, target, kind, signature, verdict, reason }: Replayed): void {
    const stored = kind === undefined ? {} : { target, stored: { kind, signature } };
    emit("replayed", { artifact: name, ...stored, verdict, reason });
  }

  found({ target, fault: { kind, signature, message }, path }: Finding): void {
    emit("found", { target, kind, signature, message, path });
  }

  failed(failure: ReportedFailure): void {
    const { found: { dossier, index, path, fault, ...found } } = failure;
    emit("failure", {
      target: failure.target,
      ...fault,
      seed: failure.seed,
      path: pathText(index, path),
      ...found,
      case: dossier?.case ?? null,
      description: dossier?.description ?? null,
      artifact: failure.artifact ?? null,
      ...(failure.artifactError === undefined ? {} : { artifactError: failure.artifactError }),
    });
  }

  targetDone(result: TargetResult): void {
    emit("target", { ...result });
  }

  finished(summary: Summary): void {
    const { status, seed, milliseconds, interrupted, counts, reached, missed, results } = summary;
    emit("finished", {
      status,
      seed,
      milliseconds,
      interrupted: interrupted !== undefined,
      failures: summary.failures.length,
      counts,
      reached,
      missed,
      results,
    });
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Writes one event. */
export function emit(event: string, members: Readonly<Record<string, unknown>>): void {
  print(JSON.stringify({ event, ...members }));
}
