import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { JsonlPeer, type Operation, type Outcome, PeerError } from "../../src/peers/mod.ts";
import { shellAdapter } from "./adapters.ts";

const SUBJECT = { path: "disk", directory: "/images" };
const PROBE = `probe) ok '{"format": "raw"}';;`;

async function withPeer(
  options: ConstructorParameters<typeof JsonlPeer>[0],
  use: (peer: JsonlPeer) => Promise<void>,
): Promise<void> {
  const peer = new JsonlPeer({ atOnce: 1, ...options });
  try {
    await use(peer);
  } finally {
    await peer.close();
  }
}

/** Asks about one operation, then probes: the run goes on whatever the first answer was. */
async function askedThenProbed(
  cases: string,
  { operation = "info", ...options }: {
    operation?: Exclude<Operation, "unlock">;
    timeoutMs?: number;
    memoryLimit?: number;
    strict?: boolean;
  } = {},
): Promise<Outcome<unknown>> {
  let outcome: Outcome<unknown> | undefined;
  await withPeer({ command: shellAdapter(`${PROBE}\n${cases}`), ...options }, async (peer) => {
    outcome = await peer[operation](SUBJECT);
    assertEquals(await peer.probe(SUBJECT), { outcome: "accepted", value: { format: "raw" } });
  });
  return outcome as Outcome<unknown>;
}

Deno.test("an adapter in JSON lines describes itself, and is asked with full paths", () =>
  withPeer({
    command: shellAdapter(
      `info) ok "{\\"format\\": \\"$image\\", \\"virtual-size\\": \\"9007199254740993\\"}";;`,
      '{"protocol": 1, "name": "mine", "version": "2", "language": "sh", "homepage": "x", ' +
        '"formats": ["qcow2", "luks"], "operations": ["info"], "features": ["zstd", "luks.*"]}',
    ),
  }, async (peer) => {
    assertEquals(await peer.describe(), {
      name: "mine",
      version: "2",
      operations: ["info"],
      formats: ["qcow2", "luks"],
      takes: [],
      language: "sh",
      homepage: "x",
      features: ["zstd", "luks.*"],
    });
    assertEquals(await peer.info(SUBJECT), {
      outcome: "accepted",
      value: { format: "/images/disk", "virtual-size": 2 ** 53 },
    });
  }));

Deno.test("an adapter in JSON lines rejects, and says which feature it does not support", async () => {
  assertEquals(await askedThenProbed(`info) answer rejected '"bad L1 table"';;`), {
    outcome: "rejected",
    message: "bad L1 table",
  });
  const unsupported =
    `info) printf '{"id": "%s", "unsupported": "no zstd", "feature": "zstd"}\\n' "$id";;`;
  assertEquals(await askedThenProbed(unsupported), {
    outcome: "unsupported",
    message: "no zstd",
    feature: "zstd",
  });
  assertEquals((await askedThenProbed(`info) answer crashed '"panic"';;`)).outcome, "crashed");
});

Deno.test("a hang, a death and a signal are charged to the request in flight", async () => {
  assertEquals(await askedThenProbed(`info) while :; do :; done;;`, { timeoutMs: 300 }), {
    outcome: "timed-out",
    message: "No answer within 300 ms",
  });
  assertEquals(await askedThenProbed(`info) echo 'out of luck' >&2; exit 7;;`), {
    outcome: "crashed",
    message: "Exit status 7: out of luck",
  });
  assertEquals(await askedThenProbed(`info) echo 'bad read' >&2; kill -SEGV $$; sleep 5;;`), {
    outcome: "crashed",
    message: "SIGSEGV: bad read",
  });
  assertEquals(
    await askedThenProbed(`info) exec >&-; sleep 20;;`, { timeoutMs: 15_000 }),
    { outcome: "crashed", message: "It closed its standard output: " },
  );
});

Deno.test("a malformed line is charged to the request in flight, with its bytes", async () => {
  const cases: [string, string, string][] = [
    ["echo hello", "The answer is not JSON", "hello"],
    ["echo", "The answer is empty", ""],
    ["echo '[]'", "The answer is not a JSON object", "[]"],
    [
      `echo '{"id": "0", "ok": {}}'`,
      `The answer has the id "0", not "2"`,
      `{"id": "0", "ok": {}}`,
    ],
    [
      `printf '{"id": "%s"}\\n' "$id"`,
      "The answer has not exactly one of ok, rejected, unsupported, crashed",
      `{"id": "2"}`,
    ],
    [
      "answer rejected 7",
      "The answer has a value of rejected that is not a text",
      `{"id": "2", "rejected": 7}`,
    ],
    ["ok 7", "The answer is not a JSON object", `{"id": "2", "ok": 7}`],
  ];
  for (const [line, message, printed] of cases) {
    const outcome = await askedThenProbed(`info) ${line};;`);
    assertEquals(outcome, { outcome: "malformed-answer", message, printed }, line);
  }
  const two = await askedThenProbed(`info) printf '{"id": "2", "ok": {}}\\nmore\\n';;`);
  assertEquals(two.outcome === "malformed-answer" && two.message, TWO);
});

const TWO = "The answer is followed by other output";

Deno.test("an endless line is cut off", async () => {
  const outcome = await askedThenProbed(`info) exec tr '\\0' x < /dev/zero;;`);
  assertEquals(outcome.outcome, "malformed-answer");
  assertEquals(
    outcome.outcome === "malformed-answer" && outcome.message,
    "The answer is longer than 67108864 bytes",
  );
});

Deno.test("an adapter that prints between two answers is started again before the next question", () =>
  withPeer(
    { command: shellAdapter(`${PROBE}\ncheck) ok '{}'; sleep 0.2; echo stray;;`) },
    async (peer) => {
      assertEquals((await peer.check(SUBJECT)).outcome, "accepted");
      await new Promise((resolve) => setTimeout(resolve, 600));
      assertEquals((await peer.probe(SUBJECT)).outcome, "accepted");
    },
  ));

Deno.test("the memory of an adapter is limited, and what it held before is not charged", async () => {
  if (Deno.build.os !== "linux") return;
  const memoryLimit = 64 * 2 ** 20;
  const hungry = `x=$(head -c 100000000 /dev/zero | tr '\\0' x)`;
  const outcome = await askedThenProbed(`info) ${hungry}; ok '{}';;`, { memoryLimit });
  assertEquals(outcome.outcome, "out-of-memory");
  // It grows when it has answered: the next answer comes from a new process.
  const command = shellAdapter(`${PROBE}\ncheck) ok '{}'; sleep 0.5; ${hungry};;`);
  await withPeer({ command, memoryLimit }, async (peer) => {
    assertEquals((await peer.probe(SUBJECT)).outcome, "accepted");
    assertEquals((await peer.check(SUBJECT)).outcome, "accepted");
    assertEquals((await peer.probe(SUBJECT)).outcome, "accepted");
    assertEquals((peer.peakBytes ?? 0) > memoryLimit, true);
  });
});

Deno.test("passphrases are in the request, and not in what is reported of a crash", async () => {
  const hello = '{"name": "shell", "version": "1", "takes": ["passphrases"]}';
  const command = shellAdapter(`digest) echo "$line" >&2; exit 4;;`, hello);
  await withPeer({ command }, async (peer) => {
    const outcome = await peer.digest({ ...SUBJECT, passphrases: ["sesame open"] });
    assertEquals(outcome.outcome, "crashed");
    assertStringIncludes(JSON.stringify(outcome), "(passphrase)");
    assertEquals(JSON.stringify(outcome).includes("sesame"), false);
    const { outcome: plain } = await peer.probe({ ...SUBJECT, header: "h" });
    assertEquals(plain, "unsupported");
  });
});

Deno.test("an adapter that cannot say hello is an error, and not an answer", async () => {
  const commands: [string[], string][] = [
    [
      ["/bin/sh", "-c", "echo no; sleep 5"],
      "hello: malformed-answer: The answer is not JSON: 'no'",
    ],
    [["/bin/sh", "-c", "exit 5"], "hello: crashed: Exit status 5"],
    [shellAdapter("", '{"protocol": 2}'), "uses version 2 of the protocol (supported: 1)"],
  ];
  for (const [command, message] of commands) {
    const error = await assertRejects(() => new JsonlPeer({ command }).describe(), PeerError);
    assertStringIncludes(error.message, message);
  }
});

Deno.test("with the protocol checked, an answer must match its schema", async () => {
  const cases: [Exclude<Operation, "unlock">, string, string][] = [
    ["digest", `ok '{"sha256": "00"}'`, '/sha256: "00" does not match ^[0-9a-f]{64}$'],
    ["map", `ok '[{"start": 0, "length": 5, "zreo": true}]'`, '/0: unknown member "zreo"'],
    [
      "info",
      `ok '{"format": "raw", "virtual-size": 1, "cluster-size": -1}'`,
      "/cluster-size: -1 is less than 0",
    ],
    ["check", `ok '{"leaks": -1}'`, "/leaks: -1 is less than 0"],
    ["check", `printf '{"id": "%s", "ok": {}, "x": 1}\\n' "$id"`, '/: unknown member "x"'],
  ];
  for (const [operation, line, message] of cases) {
    const lenient = await askedThenProbed(`${operation}) ${line};;`, { operation });
    assertEquals(lenient.outcome, "accepted", line);
    const outcome = await askedThenProbed(`${operation}) ${line};;`, { operation, strict: true });
    assertEquals(outcome.outcome === "malformed-answer" && outcome.message, message, line);
  }
});

Deno.test("a question that is asked again goes to an adapter that was asked nothing else", () =>
  withPeer({
    command: shellAdapter(`probe) n=x$n; ok "{\\"format\\": \\"$n\\"}";;`),
  }, async (peer) => {
    const first = await peer.probe(SUBJECT);
    const second = await peer.probe(SUBJECT);
    const again = await peer.probe({ ...SUBJECT, again: second });
    const formats = [first, second, again].map((it) =>
      it.outcome === "accepted" ? it.value.format : it.outcome
    );
    assertEquals(formats, ["x", "xx", "x"]);
  }));

Deno.test("several adapters answer at the same time, and each question has its own answer", () =>
  withPeer({
    atOnce: 3,
    command: shellAdapter(`info) ok "{\\"format\\": \\"$image\\", \\"virtual-size\\": 1}";;`),
  }, async (peer) => {
    const paths = Array.from({ length: 50 }, (_, at) => `disk-${at}`);
    const answers = await Promise.all(paths.map((path) => peer.info({ ...SUBJECT, path })));
    const formats = answers.map((it) => it.outcome === "accepted" ? it.value.format : it.outcome);
    assertEquals(formats, paths.map((path) => `/images/${path}`));
  }));

const READ = { operation: "read", offset: 0, length: 1 } as const;
const PAIRS = `read) if [ -z "$held" ]; then held=$id; else
  ok '{"data": "Qg=="}'; id=$held; ok '{"data": "QQ=="}'; held=
fi;;`;

Deno.test("answers to requests in flight may come in any order", () =>
  withPeer({ command: shellAdapter(PAIRS), strict: true }, async (peer) => {
    const overlapped = await peer.overlap(SUBJECT, [READ, READ, READ, READ], 2);
    assertEquals(
      overlapped.map(({ outcome }) => outcome.outcome === "accepted" && [...outcome.value]),
      [[0x41], [0x42], [0x41], [0x42]],
    );
    const [first, second, third] = overlapped;
    assertEquals([first?.sent, second?.sent], [0, 1]);
    assertEquals((second?.answered ?? 9) < (first?.answered ?? 0), true);
    assertEquals((third?.sent ?? 0) > 1, true);
  }));

Deno.test("requests in flight fail with the adapter, and no other is sent", () =>
  withPeer(
    {
      command: shellAdapter(`read) if [ -z "$held" ]; then held=$id; else exit 3; fi;;\n${PROBE}`),
    },
    async (peer) => {
      const overlapped = await peer.overlap(SUBJECT, [READ, READ, READ], 2);
      assertEquals(overlapped.map(({ outcome }) => outcome.outcome), ["crashed", "crashed"]);
      assertEquals(await peer.probe(SUBJECT), { outcome: "accepted", value: { format: "raw" } });
    },
  ));

Deno.test("an answer with an id that no request in flight has is malformed", () =>
  withPeer(
    { command: shellAdapter(`read) id=x; ok '{"data": "QQ=="}';;`) },
    async (peer) => {
      const [first] = await peer.overlap(SUBJECT, [READ], 2);
      assertEquals(first?.outcome.outcome, "malformed-answer");
    },
  ));

Deno.test("an answer to read without as many bytes as were requested is malformed", () =>
  withPeer(
    { command: shellAdapter(`read) ok '{"data": "QUE="}';;`) },
    async (peer) => {
      const [first] = await peer.overlap(SUBJECT, [READ], 2);
      assertEquals(first?.outcome.outcome, "malformed-answer");
    },
  ));

Deno.test("an adapter says how many requests it accepts at a time", () =>
  withPeer(
    { command: shellAdapter("", '{"name": "a", "version": "1", "concurrent": 8}'), strict: true },
    async (peer) => assertEquals((await peer.describe()).concurrent, 8),
  ));
