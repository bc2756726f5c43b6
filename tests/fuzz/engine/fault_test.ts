import * as fc from "fast-check";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type Attempt,
  attempt,
  type Fault,
  isFault,
  sameFault,
} from "../../../fuzz/engine/fault.ts";
import { Failure, type Target } from "../../../fuzz/engine/target.ts";
import { HELD, toy } from "./toys.ts";

const context = { directory: "/nowhere", tools: {} };

function attemptOf(run: () => never): Promise<Attempt> | Attempt {
  return attempt(toy("thrower", fc.constant(0), run) as Target, 0, context);
}

async function faultOf(run: () => never): Promise<Fault> {
  const result = await attemptOf(run);
  assert(isFault(result));
  return result;
}

Deno.test("attempt() gives the report of a case that holds, without a promise", () => {
  const target = toy("holder", fc.constant(0), () => HELD) as Target;
  assertEquals(attempt(target, 0, context), HELD);
});

Deno.test("attempt() keeps the signature that a target gives a failure", async () => {
  const fault = await faultOf(() => {
    throw new Failure("l2.offset", "Two answers");
  });
  assertEquals([fault.kind, fault.signature, fault.message], ["crash", "l2.offset", "Two answers"]);
});

Deno.test("attempt() names other errors after their class and place, without line numbers", async () => {
  const fault = await faultOf(function reader(): never {
    throw new TypeError("x is undefined");
  });
  assertEquals(fault.signature, "TypeError at tests/fuzz/engine/fault_test.ts reader");
  assertEquals(fault.message, "TypeError: x is undefined");
  assertMatch(fault.stack[0] ?? "", /^tests\/fuzz\/engine\/fault_test\.ts:\d+:\d+ reader$/);
});

Deno.test("attempt() treats a promise that is rejected as an error that is thrown", async () => {
  const target = toy("rejecter", fc.constant(0), () => Promise.reject(new Failure("late", "Late")));
  const result = await attempt(target as Target, 0, context);
  assert(isFault(result));
  assertEquals(result.signature, "late");
});

Deno.test("attempt() gives every overflow of the stack one name", async () => {
  const fault = await faultOf(function descend(): never {
    return descend();
  });
  assertEquals([fault.kind, fault.signature], ["crash", "stack overflow"]);
});

Deno.test("attempt() distinguishes a lack of memory from other errors", async () => {
  const fault = await faultOf(() => {
    throw new Error(`${new Uint8Array(2 ** 45).length} bytes`);
  });
  // V8 refuses some lengths outright and runs out of memory for others.
  if (fault.kind === "oom") assertEquals(fault.signature, "out of memory");
  else assertStringIncludes(fault.message, "Invalid typed array length");
  const words = await faultOf(() => {
    throw new RangeError("Array buffer allocation failed");
  });
  assertEquals(words.kind, "oom");
});

Deno.test("attempt() does not blame a case for a peer that cannot be started", async () => {
  const fault = await faultOf(() => {
    throw Object.assign(new Error("No such program"), { name: "PeerError" });
  });
  assertEquals(fault.kind, "peer");
});

Deno.test("attempt() does not blame a case for missing resources of the machine", async () => {
  for (const code of ["ENOSPC", "EDQUOT", "EROFS", "EMFILE"]) {
    const fault = await faultOf(() => {
      throw Object.assign(new Error("No space left on device"), { code });
    });
    assertEquals(fault.kind, "harness", code);
  }
  const other = await faultOf(() => {
    throw Object.assign(new Error("No such file"), { code: "ENOENT" });
  });
  assertEquals(other.kind, "crash");
});

Deno.test("attempt() keeps the answers and the kind of a failure", async () => {
  const answers = [{ by: "reference", text: "1" }, { by: "qemu-img 7.2.22", text: "\\x00" }];
  const fault = await faultOf(() => {
    throw new Failure("malformed", "Two answers", { kind: "malformed-answer", answers });
  });
  assertEquals([fault.kind, fault.answers], ["malformed-answer", answers]);
});

Deno.test("sameFault() distinguishes hangs in two steps, but not from one in no step", () => {
  const hang = (signature: string): Fault => ({
    kind: "timeout",
    signature,
    message: "",
    stack: [],
  });
  const [anywhere, open, map] = ["timeout", "timeout in step open", "timeout in step map"].map(
    hang,
  );
  assert(anywhere !== undefined && open !== undefined && map !== undefined);
  assert(sameFault(open, open) && !sameFault(open, map));
  assert(sameFault(anywhere, open) && sameFault(open, anywhere));
  assert(!sameFault(anywhere, { ...open, kind: "crash" }));
});

Deno.test("attempt() skips a case that breaks a precondition", async () => {
  const result = await attemptOf(() => {
    fc.pre(false);
    throw new Error("unreachable");
  });
  assertEquals(result, { depth: "header", rules: [], skipped: "precondition" });
});

Deno.test("attempt() accepts thrown values that are not errors", async () => {
  const fault = await faultOf(() => {
    const thing: unknown = "a string";
    throw thing;
  });
  assertEquals([fault.signature, fault.message], ["thrown string", "a string"]);
});
