import type { Bench } from "./bench.ts";
import { type Fault, faultOf, isFault, isTrouble } from "./fault.ts";
import { Baton } from "./heartbeat.ts";
import type { Answer, Slot, SlotEnd } from "./protocol.ts";
import { Tally } from "./tally.ts";

/** How often a worker says how far it is, in milliseconds. */
const REPORT_INTERVAL = 250;

/** Different failures of one target on one worker that are investigated; the others are counted. */
const INVESTIGATED_MAX = 16;

/** Runs one slot on one worker. */
export class Shift {
  readonly #bench: Bench;
  readonly #slot: Slot;
  readonly #say: (answer: Answer) => void;
  readonly #baton: Baton;
  readonly #tally = new Tally();
  readonly #known = new Set<string>();
  #deadline: number;
  #shrinkLeft: number;
  #peerFault: Fault | undefined;

  constructor(bench: Bench, slot: Slot, say: (answer: Answer) => void) {
    this.#bench = bench;
    this.#slot = slot;
    this.#say = say;
    this.#baton = new Baton(slot.baton);
    this.#deadline = performance.now() + slot.milliseconds;
    this.#shrinkLeft = slot.shrinkMilliseconds;
  }

  /** From the target's start to its stop; says `done` at the end, whatever happens. */
  async run(): Promise<void> {
    let end: SlotEnd;
    try {
      await this.#bench.start();
      end = await this.#work();
      await this.#bench.stop();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      end = { reason: isTrouble(faultOf(error)) ? "trouble" : "broken", message };
    }
    this.#say({ say: "done", counts: this.#tally.counts(), end });
  }

  async #work(): Promise<SlotEnd> {
    let reported = performance.now();
    for (;;) {
      if (this.#baton.stopped) return { reason: "stopped" };
      const now = performance.now();
      if (now >= this.#deadline) return { reason: "time" };
      if (now - reported > REPORT_INTERVAL) {
        this.#say({ say: "counts", counts: this.#tally.counts() });
        // A target that never waits would keep timers and finalizers from running.
        await new Promise((resolve) => setTimeout(resolve, 0));
        reported = performance.now();
      }
      const index = this.#baton.take();
      if (index >= this.#slot.runs) {
        // The baton counts in 32 bits, and must not come round.
        this.#baton.stop();
        return { reason: "runs" };
      }
      const value = this.#bench.generate(this.#slot, index);
      const pending = this.#bench.run(value.value);
      const attempt = pending instanceof Promise ? await pending : pending;
      if (!isFault(attempt)) this.#tally.add(attempt);
      else await this.#failed({ index, value, fault: attempt, path: [] });
      if (this.#peerFault !== undefined) {
        return { reason: "trouble", message: this.#peerFault.message };
      }
    }
  }

  async #failed(failing: Parameters<Bench["investigate"]>[0]): Promise<void> {
    const { fault, index } = failing;
    if (isTrouble(fault)) {
      this.#peerFault = fault;
      return;
    }
    const name = `${fault.kind} ${fault.signature}`;
    if (this.#known.has(name) || this.#known.size >= INVESTIGATED_MAX) {
      this.#tally.fail(fault.signature);
      return;
    }
    this.#known.add(name);
    this.#say({ say: "met", index, fault });
    const started = performance.now();
    const until = started + this.#shrinkLeft / 2;
    const found = await this.#bench.investigate(
      failing,
      () => this.#baton.stopped || performance.now() >= until,
    );
    const spent = performance.now() - started;
    this.#shrinkLeft = Math.max(0, this.#shrinkLeft - spent);
    this.#deadline += spent;
    // Ctrl-C reaches the tools that a case runs as well: what fails then and not again is no failure.
    if (this.#baton.stopped && !found.repeats) return;
    this.#tally.fail(fault.signature);
    this.#say({ say: "found", found });
  }
}
