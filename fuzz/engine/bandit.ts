import type * as fc from "fast-check";
import { randomAt } from "./random.ts";

/** The part of its share by weight that each arm gets, whatever it pays. */
const FLOOR = 0.5;

/** What a slice is expected to take until it has ended, in milliseconds. */
const EXPECTED = 100;

/** After this time of an arm, in milliseconds, what it paid before counts half. */
const HALF_LIFE = 5000;

/** An arm is expected to pay this much in its first second. */
const HOPE = 1;

interface Arm {
  readonly weight: number;
  /** Milliseconds, with those of slices that have not ended. */
  spent: number;
  started: boolean;
  /** What it paid of late, and in how many milliseconds. */
  paid: number;
  over: number;
}

/**
 * Divides time among arms, which are known by their number: half of it by weight, the rest by weight
 * and by what the arm paid of late for its time. Arms that have not started come first.
 */
export class Bandit {
  readonly #arms: readonly Arm[];
  readonly #random: fc.Random;

  /**
   * Arms that nothing is known of.
   *
   * @param weights of the arms, in the order in which they start
   */
  constructor(weights: readonly number[], seed: number) {
    this.#arms = weights.map((weight) => ({ weight, spent: 0, started: false, paid: 0, over: 0 }));
    this.#random = randomAt({ seed, target: "schedule" }, 0, 1);
  }

  /** Chooses one of the arms for the next slice; `add` has to follow. */
  choose(open: readonly number[]): number {
    const arms = open.flatMap((index) => {
      const arm = this.#arms[index];
      return arm === undefined ? [] : [{ index, arm }];
    });
    const chosen = arms.find(({ arm }) => !arm.started) ?? behind(arms) ?? this.#drawn(arms);
    if (chosen === undefined) throw new RangeError("Cannot choose: there is no arm");
    chosen.arm.started = true;
    chosen.arm.spent += EXPECTED;
    return chosen.index;
  }

  /** A slice of an arm has ended: how long it took, and the number of things that were new in it. */
  add(index: number, { milliseconds, novel }: { milliseconds: number; novel: number }): void {
    const arm = this.#arms[index];
    if (arm === undefined) return;
    arm.spent += milliseconds - EXPECTED;
    const kept = 0.5 ** (milliseconds / HALF_LIFE);
    // Many new things at once are often due to one.
    arm.paid = arm.paid * kept + Math.sqrt(novel);
    arm.over = arm.over * kept + milliseconds;
  }

  #drawn(arms: readonly Numbered[]): Numbered | undefined {
    const chances = arms.map(({ arm }) => arm.weight * (arm.paid + HOPE) / (arm.over + 1000));
    let point = this.#random.nextDouble() * chances.reduce((sum, it) => sum + it, 0);
    return arms.find((_, at) => (point -= chances[at] ?? 0) < 0) ?? arms.at(-1);
  }
}

interface Numbered {
  readonly index: number;
  readonly arm: Arm;
}

/** The arm that has the least of its floor, if one has less than all of it. */
function behind(arms: readonly Numbered[]): Numbered | undefined {
  const weights = arms.reduce((sum, { arm }) => sum + arm.weight, 0);
  const spent = arms.reduce((sum, { arm }) => sum + arm.spent, 0);
  const floor = FLOOR * spent / weights;
  const [least] = arms.toSorted((a, b) => a.arm.spent / a.arm.weight - b.arm.spent / b.arm.weight);
  return least !== undefined && least.arm.spent < floor * least.arm.weight ? least : undefined;
}
