import { assert, assertEquals, assertStringIncludes } from "@std/assert";

import { setTimeout as delay } from "node:timers/promises";
import { fewAtOnce } from "../../src/peers/at_once.ts";
import { KeptResults } from "../../src/peers/qemu_img/kept_results.ts";
import { ReferencePeer, ReferencePool, type Subject } from "../../src/peers/mod.ts";

/** Fails unless a promise is rejected with such a message. */
async function assertFails(promise: Promise<unknown>, message: string): Promise<void> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  assert(error instanceof Error);
  assertStringIncludes(error.message, message);
}

Deno.test("fewAtOnce() works on every item, on several at a time and never on more than four", async () => {
  const done: number[] = [];
  let working = 0;
  let most = 0;
  await fewAtOnce(Array.from({ length: 40 }, (_, index) => index), async (item) => {
    most = Math.max(most, ++working);
    await delay(item % 3);
    working--;
    done.push(item);
  });
  assertEquals(done.sort((a, b) => a - b), Array.from({ length: 40 }, (_, index) => index));
  assert(most >= 2 && most <= 4, `${most}`);
});

Deno.test("fewAtOnce() starts nothing after a failure, and waits for running work", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const failing = fewAtOnce(Array.from({ length: 40 }, (_, index) => index), async (item) => {
    begun.push(item);
    await delay(item === 1 ? 1 : 20);
    if (item === 1) throw new Error("one is odd");
    ended.push(item);
  });
  await assertFails(failing, "one is odd");
  assertEquals(ended, begun.filter((item) => item !== 1));
  assert(begun.length <= 4, `${begun.length}`);
});

Deno.test("KeptResults computes the same result once, and forgets old ones", async () => {
  const kept = new KeptResults();
  let calls = 0;
  const ask = (key: string) =>
    kept.once(key, () => {
      calls++;
      const end = { kind: "exited", code: calls } as const;
      return Promise.resolve({ end, stdout: key, stderr: "" });
    });
  assertEquals(await ask("a"), await ask("a"));
  assertEquals(calls, 1);
  for (let i = 0; i < 32; i++) await ask(`other ${i}`);
  await ask("a");
  assertEquals(calls, 34);
});

Deno.test("the pool answers as the reference does, and to questions at the same time", async () => {
  const root = new URL("../..", import.meta.url).pathname;
  const subjects: Subject[] = ["README.md", "deno.json"].map((path) => {
    return { path, directory: root, format: "raw" };
  });
  const alone = new ReferencePeer();
  const pool = new ReferencePool();
  try {
    assertEquals(await pool.describe(), await alone.describe());
    for (const operation of ["probe", "info", "map", "check", "digest", "unlock"] as const) {
      const wanted = await Promise.all(subjects.map((subject) => alone[operation](subject)));
      const given = await Promise.all(subjects.map((subject) => pool[operation](subject)));
      assertEquals(given, wanted, operation);
    }
    // A fault is the asker's to see, and the worker goes on.
    await assertFails(pool.info({ path: "no such file", directory: root }), "no such file");
    assertEquals((await pool.info({ path: "README.md", directory: root })).outcome, "accepted");
  } finally {
    await pool.close();
  }
});
