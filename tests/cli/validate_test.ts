import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { withDirectory } from "./files.ts";
import { diskproof, type Run } from "./program.ts";
import { liveTest, QEMU } from "../live.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** A few golden images: qcow2 with snapshots, and one that is rejected. */
const ONLY = ["--only", "snapshots-two"];
/** One image of the corpus that is rejected. */
const VERSION = "qcow2.header.version-2-breaks";

/** Runs `deno task validate`: an adapter may be any program, which other tasks may not run. */
async function validate(directory: string, ...args: string[]): Promise<Run> {
  const words = config.tasks.validate.command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [...words.slice(1, -2), `${ROOT}${words.at(-2)}`, "validate", ...args],
    cwd: directory,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Writes an adapter in shell; `answer` is what follows `case $1 in`. */
function adapter(directory: string, answer: string): string {
  const script = `#!/bin/sh\ncase $1 in\n${answer}\n*) exit 3;;\nesac\n`;
  Deno.writeTextFileSync(`${directory}/adapter.sh`, script);
  return "exec:sh adapter.sh";
}

interface Sums {
  readonly operation: string;
  readonly same: number;
  readonly differs: number;
  readonly unsupported: number;
  readonly crashed: number;
  readonly timedOut: number;
  readonly malformed: number;
  readonly known: number;
}

function eventsIn({ stdout }: Run): Record<string, unknown>[] {
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

function sumsIn(run: Run): Record<string, Sums> {
  const { sums } = eventsIn(run).at(-1) as unknown as { sums: Sums[] };
  return Object.fromEntries(sums.map((each) => [each.operation, each]));
}

Deno.test("validate finds the reference as recorded", async () => {
  const { status, stdout, stderr } = await diskproof(ROOT, ["validate", "reference", ...ONLY]);
  assertEquals([status, stderr], [0, ""]);
  assertStringIncludes(stdout, "operation  same  differs  unsupported  crashed");
});

liveTest({ needs: QEMU }, "validate finds the installed qemu-img as recorded", async () => {
  const { status, stdout } = await diskproof(ROOT, ["validate", "qemu-img", ...ONLY]);
  assertEquals(status, 0, stdout);
});

Deno.test("validate distinguishes a wrong answer, a rejection and a crash", () =>
  withDirectory(async (directory) => {
    const peer = adapter(
      directory,
      `describe) echo '{"name": "wrong", "version": "9"}';;
probe) echo '{"format": "qcow2"}';;
info) echo '{"format": "qcow2", "virtual-size": 7}';;
map) echo 'not today' >&2; exit 1;;
check) kill -SEGV $$;;
digest) exit 4;;`,
    );
    const run = await validate(directory, peer, "--json", ...ONLY);
    assertEquals([run.status, run.stderr], [1, ""]);
    const { probe, info, map, check, digest } = sumsIn(run);
    const images = probe?.same ?? 0;
    assertEquals(images > 0, true);
    assertEquals(info, sumsOf("info", { differs: images }));
    assertEquals(map, sumsOf("map", { differs: images }));
    assertEquals(check, sumsOf("check", { crashed: images }));
    assertEquals(digest?.crashed, images);
    assertEquals(digest?.unsupported, 2 * images);
    const told = eventsIn(run).filter(({ question }) => question === "info");
    const [first] = told as unknown as { differences: { path: string; right: unknown }[] }[];
    // What the adapter does not tell is no difference.
    assertEquals(first?.differences.map(({ path }) => path), ["/virtual-size"]);
    assertEquals(first?.differences[0]?.right, 7);
    const text = await validate(directory, peer, ...ONLY);
    assertStringIncludes(text.stdout, "wrong 9 over");
    assertStringIncludes(text.stdout, "    answered  crashed: SIGSEGV\n");
    assertStringIncludes(text.stdout, "    answered  rejected: not today\n");
  }));

function sumsOf(operation: string, sums: Partial<Sums>): Sums {
  return {
    ...{ operation, same: 0, differs: 0, unsupported: 0 },
    ...{ crashed: 0, timedOut: 0, malformed: 0, known: 0 },
    ...sums,
  };
}

Deno.test("validate describes the image of a difference, and how to query it again", () =>
  withDirectory(async (directory) => {
    const peer = adapter(directory, `info) echo '{"format": "qcow2", "virtual-size": 7}';;`);
    const { status, stdout, stderr } = await validate(directory, peer, "--only", VERSION);
    assertEquals([status, stderr], [1, ""]);
    const lines = stdout.split("\n");
    assertEquals([lines[0], lines[3], lines[4]], [
      "accepts-invalid: qcow2.header.version",
      "  1 wrong answer about 1 image (info)",
      `  smallest case: ${VERSION} (28672 bytes), info`,
    ]);
    assertEquals(lines.slice(5, 11), [
      "  the image: /header/version := 0x1",
      "  the format expects: must-reject (qcow2.header.version)",
      "    expected  must-reject",
      "    answered  accepted",
      `  query it again: deno task validate 'exec:sh adapter.sh' --case ${VERSION}`,
      `  write its files: deno task diskproof corpus show ${VERSION} --out DIR`,
    ]);
    // The rule, with its class, level and section, and its sentence.
    assertStringIncludes(lines[1] ?? "", "spec, must; section: ");
    assertStringIncludes(lines[2] ?? "", "version");
    const { stdout: json } = await validate(directory, peer, "--json", "--only", VERSION);
    const { event, changes } = JSON.parse(json.split("\n")[0] ?? "");
    assertEquals([event, Array.isArray(changes) && changes.length > 0], ["difference", true]);
  }));

Deno.test("validate counts an adapter that exits with 1 after an uncaught exception as crashed", () =>
  withDirectory(async (directory) => {
    const stacks = [
      String
        .raw`printf 'Traceback (most recent call last):\n  File "x"\nKeyError: 1\n' >&2; exit 1`,
      String.raw`printf 'x.js:1\nError\n    at main (/x.js:1:7)\n' >&2; exit 1`,
    ];
    for (const stack of stacks) {
      const peer = adapter(directory, `info) ${stack};;\ncheck) echo 'at 1:2: no' >&2; exit 1;;`);
      const run = await validate(directory, peer, "--json", "--only", VERSION);
      const { info, check } = sumsIn(run);
      assertEquals([info?.crashed, check?.crashed], [1, 0], stack);
    }
  }));

Deno.test("validate accepts a value of --only that starts with a dash", async () => {
  for (const only of [["--only", "-two-luks-no-such"], ["--only=-two-luks-no-such"]]) {
    const { status, stderr } = await diskproof(ROOT, ["validate", "reference", ...only]);
    assertEquals(status, 2);
    assertStringIncludes(stderr, "no recorded image with '-two-luks-no-such' in its name");
  }
  const { stderr } = await diskproof(ROOT, ["validate", "reference", "--only", "--json"]);
  assertStringIncludes(stderr, "option --only needs a value");
});

Deno.test("validate reports malformed answers with their bytes, and continues", () =>
  withDirectory(async (directory) => {
    const peer = adapter(
      directory,
      [
        "probe) echo qcow2;;",
        "info) ;;",
        `map) echo '[{"start": 0}]';;`,
        `check) echo '{"leaks": "none"}';;`,
        String.raw`digest) printf '{"sha256": \377}';;`,
      ].join("\n"),
    );
    const run = await validate(directory, peer, "--json", "--only=qcow-empty-512");
    assertEquals([run.status, run.stderr], [1, ""]);
    for (const operation of ["probe", "info", "map", "check", "digest"]) {
      assertEquals(sumsIn(run)[operation], sumsOf(operation, { malformed: 1 }));
    }
    const failures = eventsIn(run).filter(({ event }) => event === "difference");
    assertEquals(
      failures.map(({ question, differences }) => {
        const [{ right }] = differences as [{ right: Record<string, string> }];
        return [question, right["outcome"], right["message"], right["printed"]];
      }),
      [
        ["probe", "malformed-answer", "The answer is not JSON", "qcow2\\n"],
        ["info", "malformed-answer", "The answer is empty", ""],
        [
          "check",
          "malformed-answer",
          "The answer to check has a value of leaks that is not a number",
          '{"leaks": "none"}\\n',
        ],
        [
          "map",
          "malformed-answer",
          "The answer to map is not a list of entries with start and length",
          '[{"start": 0}]\\n',
        ],
        ["digest", "malformed-answer", "The answer is not JSON", '{"sha256": \\xff}'],
      ],
    );
    const { stdout } = await validate(directory, peer, "--only=qcow-empty-512");
    assertStringIncludes(
      stdout,
      "malformed-answer: qcow-empty-512\n  5 wrong answers about 1 image",
    );
    assertStringIncludes(stdout, "answered  malformed-answer: The answer is not JSON: 'qcow2\\n'");
    assertStringIncludes(stdout, "  the format expects: must-accept\n");
    assertStringIncludes(stdout, "crashed  timed out  malformed");
  }));

Deno.test("validate does not count unsupported questions as failures", () =>
  withDirectory(async (directory) => {
    const peer = adapter(directory, `probe) echo '{"format": "qcow2"}';;`);
    const { status, stdout } = await validate(directory, peer, ...ONLY);
    assertEquals(status, 0);
    assertStringIncludes(stdout, `sh ${directory}/adapter.sh unknown over`);
  }));

Deno.test("validate skips encrypted images for an adapter that does not accept passphrases", () =>
  withDirectory(async (directory) => {
    const answers = [
      `describe) echo '{"name": "mine", "takes": TAKES}';;`,
      `probe) test "$3" = --passphrase-file && test "$(cat $4)" = "open sesame" && echo '{"format": "qcow"}';;`,
    ].join("\n");
    const only = "--only=qcow-aes-scattered";
    const without = adapter(directory, answers.replace("TAKES", "[]"));
    const run = await validate(directory, without, "--json", only);
    assertEquals(run.status, 0);
    assertEquals(sumsIn(run)["probe"], sumsOf("probe", { unsupported: 1 }));
    const reason = "The adapter does not declare support for passphrases";
    assertEquals(eventsIn(run).at(-1)?.["passedOver"], [{ reason, questions: 5 }]);
    const { stdout } = await validate(directory, without, only);
    assertEquals(stdout.trimEnd().split("\n").slice(-4, -2), [
      "unsupported  because",
      `          5  ${reason}`,
    ]);
    const taking = adapter(directory, answers.replace("TAKES", '["passphrases"]'));
    const asked = await validate(directory, taking, "--json", only);
    assertEquals([asked.status, asked.stderr], [0, ""]);
    assertEquals(sumsIn(asked)["probe"], sumsOf("probe", { same: 1 }));
    assertEquals(eventsIn(asked).at(-1)?.["passedOver"], [
      { reason: "", questions: 4 },
    ]);
  }));

/** What a shell adapter says of a volume of LUKS version 2 whose first passphrase opens slot 0. */
const LUKS2_ADAPTER = [
  `describe) echo '{"name": "mine", "takes": ["passphrases"], "formats": ["luks2"], "operations": ["info", "unlock"]}';;`,
  `info) echo '{"format": "luks2", "virtual-size": 0}';;`,
  `unlock) case "$(cat $4)" in first) echo '{"slot": 0}';; second) echo '{"slot": SECOND}';; *) exit 1;; esac;;`,
].join("\n");

Deno.test("validate asks an adapter with LUKS version 2 which key slots open", () =>
  withDirectory(async (directory) => {
    const only = "--only=luks2.area.overlap-keeps";
    const right = adapter(directory, LUKS2_ADAPTER.replace("SECOND", "3"));
    const run = await validate(directory, right, "--json", only);
    assertEquals([run.status, run.stderr], [0, ""]);
    const { info, digest, unlock } = sumsIn(run);
    assertEquals(info, sumsOf("info", { same: 1 }));
    assertEquals(digest, sumsOf("digest", { unsupported: 1 }));
    assertEquals(unlock, sumsOf("unlock", { same: 3 }));
    const wrong = adapter(directory, LUKS2_ADAPTER.replace("SECOND", "4"));
    const { status, stdout } = await validate(directory, wrong, only);
    assertEquals(status, 1);
    assertStringIncludes(
      stdout,
      "  the format expects: must-accept, as recorded of cryptsetup 2.6.1\n" +
        "    expected  /slot: 3\n    answered  /slot: 4\n",
    );
    // A peer that does not declare support for them is not queried.
    const silent = adapter(directory, `probe) echo '{"format": "raw"}';;`);
    const passed = await validate(directory, silent, "--json", only);
    assertEquals(passed.status, 0);
    const [{ reason, questions }] = eventsIn(passed).at(-1)?.["passedOver"] as [
      { reason: string; questions: number },
    ];
    assertEquals(questions, 5);
    assertStringIncludes(reason, "does not declare support for luks2");
  }));

liveTest(
  { needs: ["cryptsetup"] },
  "validate finds the installed cryptsetup as recorded",
  async (directory) => {
    const only = "--only=luks2.token.fields-number";
    const { status, stdout } = await validate(directory, "cryptsetup", only);
    assertEquals(status, 0, stdout);
    assertStringIncludes(stdout, "over 2 recorded images");
    assertStringIncludes(stdout, "crashes as recorded: ");
  },
);

liveTest(
  { needs: QEMU },
  "validate counts the crashes that are recorded of qemu-img, and does not expect them of others",
  async () => {
    const only = ["--only", "luks.key.material-sector-multiple-breaks"];
    const qemu = await diskproof(ROOT, ["validate", "qemu-img", ...only]);
    assertEquals(qemu.status, 0, qemu.stdout);
    assertStringIncludes(qemu.stdout, "crashes as recorded: 3\n");
    const ours = await diskproof(ROOT, ["validate", "reference", ...only]);
    assertEquals(ours.status, 0, ours.stdout);
    assertEquals(ours.stdout.includes("crashes as recorded"), false);
  },
);

Deno.test("validate exits with 3 for a peer that cannot be started or describe itself", () =>
  withDirectory(async (directory) => {
    const broken = [
      "exec:./nothing-here",
      "qemu-img:./nothing-here",
      adapter(directory, "describe) echo mine;;"),
    ];
    for (const peer of broken) {
      const { status, stdout, stderr } = await validate(directory, peer, ...ONLY);
      assertEquals([status, stdout], [3, ""], peer);
      assertEquals(stderr.trimEnd().split("\n").length, 1);
    }
  }));

Deno.test("validate stops an adapter that takes too long", () =>
  withDirectory(async (directory) => {
    const peer = adapter(directory, "probe) exec sleep 60;;");
    const run = await validate(directory, peer, "--timeout=1", "--json", "--only=qcow-empty-512");
    assertEquals(run.status, 1);
    assertEquals(sumsIn(run)["probe"], sumsOf("probe", { timedOut: 1 }));
  }));

Deno.test("validate reports where it found no golden images", () =>
  withDirectory(async (directory) => {
    for (const more of [["--only", "no such image"], ["--golden", "."], ["--golden", "nowhere"]]) {
      const { status, stderr } = await diskproof(directory, ["validate", "reference", ...more]);
      assertEquals(status, 2);
      assertStringIncludes(stderr, "diskproof: Cannot ");
    }
  }));

Deno.test("an adapter that answers no question has not passed", () =>
  withDirectory(async (directory) => {
    const peer = adapter(directory, `describe) echo '{"name": "mute", "formats": ["qcow3"]}';;`);
    const run = await validate(directory, peer, "--golden", `${ROOT}golden/images`);
    assertEquals(run.status, 3);
    assertStringIncludes(run.stderr, "Cannot validate mute: it has answered no question");
  }));
