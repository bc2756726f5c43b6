import type { Crew } from "./crew.ts";
import type { Fault } from "./fault.ts";
import { Baton, type Beat } from "./heartbeat.ts";
import type { Answer, Found, Slot, SlotEnd } from "./protocol.ts";
import type { Station } from "./station.ts";
import { type Counts, NO_COUNTS, sumCounts } from "./tally.ts";

/** Why a target is done. */
export type TargetEnd = SlotEnd["reason"] | "hung" | "memory";

/** What became of a target's share of a run. */
export interface SlotResult {
  readonly counts: Counts;
  readonly end: TargetEnd;
  /** Why it ended, where that needs words. */
  readonly message?: string;
}

/** Who follows a target's run. */
export interface SlotEvents {
  progress(counts: Counts): void;
  /** A failure that this run has not met before. */
  found(found: Found): void;
}

/** Workers that one target may take down before it is given up. */
const DEATHS_MAX = 3;

/** Which ends are told when workers end for different reasons, most important first. */
const SEVERITY: readonly TargetEnd[] = [
  "memory",
  "hung",
  "broken",
  "trouble",
  "stopped",
  "time",
  "runs",
];

/** One worker's part in a slot. */
interface Lane {
  station: Station;
  counts: Counts;
  /** A failure that was announced and is being shrunk. */
  met?: { readonly index: number; readonly fault: Fault };
  done: boolean;
}

/** One target on all workers of a crew, as the main thread sees it. */
export class SlotRun {
  readonly #crew: Crew;
  readonly #slot: Omit<Slot, "baton">;
  readonly #events: SlotEvents;
  readonly #baton = new Baton();
  readonly #lanes: Lane[] = [];
  /** Counts of workers that are no more. */
  readonly #lost: Counts[] = [];
  readonly #known = new Set<string>();
  readonly #ends: { end: TargetEnd; message?: string }[] = [];
  readonly #started = performance.now();
  #inquiries: Promise<void>[] = [];
  #deaths = 0;
  #finish: () => void = () => {};

  constructor(crew: Crew, slot: Omit<Slot, "baton">, events: SlotEvents) {
    this.#crew = crew;
    this.#slot = slot;
    this.#events = events;
  }

  /** Runs the target to the end of its share. */
  async run(): Promise<SlotResult> {
    const finished = new Promise<void>((resolve) => this.#finish = resolve);
    for (let job = 0; job < this.#crew.options.jobs; job++) {
      const lane: Lane = { station: this.#crew.station(job), counts: NO_COUNTS, done: false };
      this.#lanes.push(lane);
      this.#begin(lane);
    }
    const stopWatching = this.#crew.watch(() => this.#look());
    await finished;
    stopWatching();
    while (this.#inquiries.length > 0) await Promise.all(this.#inquiries.splice(0));
    const [worst] = SEVERITY.flatMap((end) => this.#ends.filter((known) => known.end === end));
    return { counts: this.#counts(), ...(worst ?? { end: "stopped" }) };
  }

  #begin(lane: Lane): void {
    const milliseconds = this.#slot.milliseconds - (performance.now() - this.#started);
    const slot = { ...this.#slot, milliseconds, baton: this.#baton.buffer };
    lane.station.ask({ ask: "slot", slot }, {
      answer: (answer) => this.#hear(lane, answer),
      died: (fault) => this.#died(lane, fault),
    });
  }

  #counts(): Counts {
    return sumCounts([...this.#lost, ...this.#lanes.map((lane) => lane.counts)]);
  }

  #look(): void {
    if (this.#crew.interrupted) this.#baton.stop();
    for (const lane of this.#lanes) {
      if (lane.done) continue;
      const verdict = this.#crew.verdictOn(lane.station);
      if (verdict !== undefined) this.#giveUp(lane, verdict);
    }
    if (this.#crew.exhausted && !this.#baton.stopped) {
      this.#ends.push({ end: "memory", message: "Memory is used up, and no single case did it" });
      this.#baton.stop();
    }
    this.#events.progress(this.#counts());
  }

  #hear(lane: Lane, answer: Answer): void {
    if (lane.done) return;
    if (answer.say === "counts") lane.counts = answer.counts;
    else if (answer.say === "met") lane.met = answer;
    else if (answer.say === "found") {
      delete lane.met;
      this.#report(answer.found);
    } else if (answer.say === "done") {
      lane.counts = answer.counts;
      const { reason } = answer.end;
      const message = "message" in answer.end ? { message: answer.end.message } : {};
      this.#end(lane, { end: reason, ...message });
    } else if (answer.say === "refused") {
      this.#end(lane, { end: "broken", message: answer.message });
    }
  }

  #end(lane: Lane, end: { end: TargetEnd; message?: string }): void {
    lane.done = true;
    this.#ends.push(end);
    // What is broken for one worker is broken for all.
    if (end.end === "broken" || end.end === "trouble") this.#baton.stop();
    if (this.#lanes.every((known) => known.done)) this.#finish();
  }

  /** The worker spins, or eats up the memory: it is left behind, and the target is over. */
  #giveUp(lane: Lane, verdict: { beat: Beat; fault: Fault }): void {
    const { beat, fault } = verdict;
    this.#baton.stop();
    this.#crew.abandon(lane.station);
    if (beat.phase === "starting") {
      const message = "The target's preparations did not come to an end";
      return this.#end(lane, { end: "broken", message });
    }
    this.#inquire(lane, beat, fault);
    this.#end(lane, { end: fault.kind === "oom" ? "memory" : "hung", message: fault.message });
  }

  /** The thread is gone; another one takes its place. */
  #died(lane: Lane, fault: Fault): void {
    if (lane.done) return;
    const { beat } = lane.station.standing();
    if (beat.phase === "starting") {
      return this.#end(lane, { end: "broken", message: fault.message });
    }
    this.#inquire(lane, beat, fault);
    if (++this.#deaths >= DEATHS_MAX) {
      this.#baton.stop();
      return this.#end(lane, { end: "broken", message: "The target took down too many workers" });
    }
    this.#lost.push(lane.counts);
    lane.counts = NO_COUNTS;
    lane.station = this.#crew.station(this.#lanes.indexOf(lane));
    this.#begin(lane);
  }

  /** Reports what a lost worker was at: the failure that it was shrinking, then its own end. */
  #inquire(lane: Lane, beat: Beat, fault: Fault): void {
    const { met } = lane;
    delete lane.met;
    const cases = met === undefined ? [] : [{ ...met, path: [] as readonly number[] }];
    cases.push({ index: beat.index, path: beat.path, fault });
    const { target, seed } = this.#slot;
    for (const { index, path, fault } of cases) {
      this.#lost.push(sumCounts([{
        ...NO_COUNTS,
        cases: 1,
        failures: { [fault.signature]: 1 },
      }]));
      if (this.#isKnown(fault)) continue;
      const inquiry = this.#crew.dossier({ target, seed, index, path }).then((dossier) =>
        this.#report({ index, path, fault, ...(dossier === undefined ? {} : { dossier }) })
      );
      this.#inquiries.push(inquiry);
    }
  }

  #isKnown(fault: Fault): boolean {
    return this.#known.has(`${fault.kind} ${fault.signature}`);
  }

  #report(found: Found): void {
    if (this.#isKnown(found.fault)) return;
    this.#known.add(`${found.fault.kind} ${found.fault.signature}`);
    this.#events.found(found);
  }
}
