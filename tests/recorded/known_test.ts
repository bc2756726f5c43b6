import { assertEquals } from "@std/assert";
import {
  againstReference,
  anyAnswer,
  nearestVersion,
  sameFailure,
} from "../../src/recorded/known.ts";
import { unanswered, unansweredOutcome } from "../../src/recorded/answers.ts";
import { type Outcome, type Peer, type PeerDescription, withScratch } from "../../src/peers/mod.ts";
import {
  type ImageRecord,
  type QemuImgAnswers,
  recordedDigest,
  RecordedPeer,
  recordedTool,
  type ReferenceVerdict,
  storeRecord,
  verifyRecords,
} from "../../src/recorded/mod.ts";

const ASSERTION =
  "do_qcrypto_block_cipher_encdec: Assertion `QEMU_IS_ALIGNED(len, sectorsize)' failed.";
const crash = (message: string): Outcome<never> => ({ outcome: "crashed", message });

Deno.test("nearestVersion() returns the version itself, else the previous one, else the oldest", () => {
  const recorded = ["11.1.3", "7.2.22", "10.0.13"];
  assertEquals(nearestVersion(recorded, "10.0.13"), "10.0.13");
  assertEquals(nearestVersion(recorded, "10.0.2"), "7.2.22");
  assertEquals(nearestVersion(recorded, "12.0"), "11.1.3");
  assertEquals(nearestVersion(recorded, "6.2.0"), "7.2.22");
  assertEquals(nearestVersion([], "6.2.0"), undefined);
});

Deno.test("sameFailure() recognises an assertion in another build, and no other crash", () => {
  const recorded = crash(`SIGABRT: ../../crypto/block.c:372: ${ASSERTION}`);
  assertEquals(sameFailure(recorded, crash(`SIGABRT: crypto/block.c:390: ${ASSERTION}`)), true);
  const others = [
    crash(`SIGSEGV: ../../crypto/block.c:372: ${ASSERTION}`),
    crash("SIGABRT: malloc(): corrupted top size"),
    crash(`SIGABRT: block.c:372: ${ASSERTION.replace("do_q", "q")}`),
    { outcome: "rejected", message: "no" } as const,
    { outcome: "timed-out", message: "No answer within 20000 ms" } as const,
  ];
  assertEquals(others.filter((other) => sameFailure(recorded, other)), []);
  const hang = { outcome: "timed-out", message: "No answer within 20000 ms" } as const;
  assertEquals(sameFailure(hang, { ...hang, message: "No answer within 5000 ms" }), true);
});

Deno.test("a crash and a hang are recorded and read back", () => {
  const died = {
    end: { kind: "crashed", signal: "SIGABRT" },
    stdout: "[",
    stderr: "x: y\n",
  } as const;
  assertEquals(recordedTool(died), { crashed: "SIGABRT", message: "x: y" });
  const hung = { end: { kind: "timed-out", timeoutMs: 20_000 }, stdout: "", stderr: "" } as const;
  assertEquals(recordedTool(hung), { hung: 20 });
  assertEquals(recordedDigest(crash("SIGSEGV: ")), { crashed: "SIGSEGV" });
  for (
    const answer of [{ crashed: "SIGABRT", message: "a: b" }, { crashed: "SIGSEGV" }, { hung: 20 }]
  ) {
    const outcome = unansweredOutcome(answer) as Parameters<typeof unanswered>[0];
    assertEquals(unanswered(outcome), answer);
  }
});

const SHA = { sha256: "ab", length: 2 };

Deno.test("againstReference() compares verdicts, the content that is known and the key slot", () => {
  const accepted = (value: unknown) => ({ outcome: "accepted", value }) as const;
  const rejected = { outcome: "rejected", message: "no" } as const;
  const differs = (outcome: Outcome<unknown>, verdict: ReferenceVerdict) =>
    againstReference(outcome, verdict).map(({ path }) => path);
  assertEquals(differs(accepted({}), { verdict: "accepted" }), []);
  assertEquals(differs(rejected, { verdict: "accepted" }), [""]);
  assertEquals(differs(accepted({}), { verdict: "rejected" }), [""]);
  assertEquals(differs(rejected, { verdict: "either", content: SHA }), []);
  assertEquals(differs(accepted(SHA), { verdict: "either", content: SHA }), []);
  assertEquals(differs(accepted({ ...SHA, sha256: "cd" }), { verdict: "either", content: SHA }), [
    "/sha256",
  ]);
  assertEquals(differs(accepted({ slot: 1 }), { verdict: "accepted", slot: 0 }), ["/slot"]);
  assertEquals(differs(accepted({}), { verdict: "accepted", slot: 0 }), []);
  for (const verdict of ["accepted", "rejected", "either"] as const) {
    assertEquals(differs(crash("SIGSEGV: "), { verdict }), [""]);
  }
  assertEquals(anyAnswer(rejected), []);
  assertEquals(anyAnswer(crash("SIGSEGV: ")).length, 1);
});

const REFUSED = { exitCode: 1, message: "no" };
const TAKEN: QemuImgAnswers = { info: REFUSED, check: REFUSED, digest: SHA };
const DEADLY: QemuImgAnswers = { ...TAKEN, check: { crashed: "SIGABRT" }, digest: { hung: 20 } };

/** A peer that answers as is recorded, by another name. */
class Named extends RecordedPeer {
  readonly #called: Partial<PeerDescription>;

  constructor(answers: QemuImgAnswers, called: Partial<PeerDescription> = {}) {
    super(answers, { version: "1" });
    this.#called = called;
  }

  override async describe(): Promise<PeerDescription> {
    return { ...await super.describe(), name: "qemu-img", ...this.#called };
  }
}

/** The result for a peer on one image with such a record: failures, and known ones. */
async function verified(
  peer: Peer,
  record: Partial<ImageRecord>,
  version?: string,
): Promise<{ failures: string[]; known: string[]; passedOver: string[] }> {
  return await withScratch(async (images) => {
    const all: ImageRecord = {
      ...{ name: "one", features: [], builder: "1", commands: [], subject: "disk", files: [] },
      ...{ format: "luks", answers: {}, ...record },
    };
    storeRecord(images, all, images);
    const passedOver: string[] = [];
    const report = await verifyRecords(peer, {
      images,
      ...(version === undefined ? {} : { version }),
      onSkipped: (operation, reason) => void passedOver.push(`${operation}: ${reason}`),
    });
    const failures = report.failures.map(({ question, recordedBy }) =>
      `${question}: ${recordedBy.join(", ")}`
    );
    const known = report.known.map(({ question, kind, version, gone }) =>
      `${question}: ${kind} of ${version}${gone ? " is gone" : ""}`
    );
    return { failures, known, passedOver };
  });
}

Deno.test("a crash of one version is not an expected result for others, and known of that version", async () => {
  const answers = { "7.2.22": DEADLY, "10.0.13": TAKEN };
  const nothing = { failures: [], known: [], passedOver: [] };
  assertEquals(await verified(new Named(TAKEN), { answers }), nothing);
  assertEquals(await verified(new Named(TAKEN), { answers }, "10.0.13"), nothing);
  assertEquals(await verified(new Named(DEADLY), { answers }, "7.2.22"), {
    ...nothing,
    known: ["check: crash of 7.2.22", "digest: hang of 7.2.22"],
  });
  // A fixed build of the same version is compared with the others.
  assertEquals(await verified(new Named(TAKEN), { answers }, "7.2.22"), {
    ...nothing,
    known: ["check: crash of 7.2.22 is gone", "digest: hang of 7.2.22 is gone"],
  });
  const another = { ...DEADLY, check: { crashed: "SIGSEGV" } };
  assertEquals(await verified(new Named(another), { answers }, "7.2.22"), {
    ...nothing,
    failures: ["check: qemu-img 10.0.13"],
    known: ["check: crash of 7.2.22 is gone", "digest: hang of 7.2.22"],
  });
  assertEquals(await verified(new Named(DEADLY), { answers }), {
    ...nothing,
    failures: ["check: qemu-img 10.0.13", "digest: qemu-img 10.0.13"],
  });
});

Deno.test("where every version crashes, the verdict of the reference counts, or any answer does", async () => {
  const answers = { "7.2.22": DEADLY };
  const failuresOf = async (peer: Peer, reference?: ImageRecord["reference"]) =>
    (await verified(peer, { answers, ...(reference === undefined ? {} : { reference }) })).failures;
  assertEquals(await failuresOf(new Named(TAKEN)), []);
  assertEquals(await failuresOf(new Named(DEADLY)), ["check: ", "digest: "]);
  const reference = {
    check: { verdict: "rejected" },
    digest: { verdict: "either", content: SHA },
  } as const;
  assertEquals(await failuresOf(new Named(TAKEN), reference), []);
  const wrong = { ...TAKEN, digest: { ...SHA, sha256: "cd" } };
  assertEquals(await failuresOf(new Named(wrong), reference), ["digest: diskproof"]);
  assertEquals(await failuresOf(new Named(DEADLY), reference), [
    "check: diskproof",
    "digest: diskproof",
  ]);
});

/** A peer that opens key slots. */
class Unlocking extends Named {
  readonly #slots: ReadonlyMap<string, number>;

  constructor(slots: Record<string, number>, called: Partial<PeerDescription> = {}) {
    super(TAKEN, { name: "mine", operations: ["info", "digest", "unlock"], ...called });
    this.#slots = new Map(Object.entries(slots));
  }

  override unlock({ passphrases = [] }: { passphrases?: readonly string[] }) {
    const slot = this.#slots.get(passphrases[0] ?? "");
    return Promise.resolve<Outcome<{ slot?: number }>>(
      slot === undefined
        ? { outcome: "rejected", message: "It opens none" }
        : { outcome: "accepted", value: { slot } },
    );
  }
}

const volume = {
  "2.6.1": {
    info: { rejected: "no" },
    unlocks: [
      { passphrase: "first", slot: 0 },
      { passphrase: "third", slot: "none" },
      { passphrase: "any", slot: 0, fault: "It takes any passphrase" },
    ],
  },
} as const;
const reference = { "unlock with any": { verdict: "rejected" } } as const;
const LUKS2 = { format: "luks2", volume, reference } as const;
const formats = ["luks2"];

Deno.test("key slots are compared with cryptsetup's, except for its wrong answers", async () => {
  const nothing = { failures: [], known: [], passedOver: [] };
  assertEquals(await verified(new Unlocking({ first: 0 }, { formats }), LUKS2), nothing);
  assertEquals(await verified(new Unlocking({ first: 0, any: 0 }, { formats }), LUKS2), {
    ...nothing,
    failures: ["unlock with any: diskproof"],
  });
  assertEquals(await verified(new Unlocking({ first: 3, third: 0 }, { formats }), LUKS2), {
    ...nothing,
    failures: ["unlock with first: cryptsetup 2.6.1", "unlock with third: cryptsetup 2.6.1"],
  });
  const cryptsetup = { name: "cryptsetup", version: "2.6.1", formats };
  assertEquals(await verified(new Unlocking({ first: 0, any: 0 }, cryptsetup), LUKS2), {
    ...nothing,
    known: ["unlock with any: fault of 2.6.1"],
  });
  assertEquals(await verified(new Unlocking({ first: 0 }, cryptsetup), LUKS2), {
    ...nothing,
    known: ["unlock with any: fault of 2.6.1 is gone"],
  });
});

Deno.test("a peer is not queried about formats or operations that it does not declare", async () => {
  const { passedOver } = await verified(new Unlocking({}, { formats: ["luks"] }), LUKS2);
  const reason = "mine does not declare support for luks2";
  assertEquals(passedOver, [`info: ${reason}`, ...Array(3).fill(`unlock: ${reason}`)]);
  const peer = new Unlocking({}, { formats, operations: ["info"] });
  const without = await verified(peer, LUKS2);
  assertEquals(without, {
    failures: [],
    known: [],
    passedOver: Array(3).fill("unlock: mine does not declare support for unlock"),
  });
});
