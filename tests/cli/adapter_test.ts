import { assertEquals, assertStringIncludes } from "@std/assert";
import { shellAdapter } from "../peers/adapters.ts";
import { isInstalled, skip } from "../installed.ts";
import { adapter } from "./adapter.ts";
import { withDirectory } from "./files.ts";
import { spawnDiskproof } from "./program.ts";

/** Writes a long-lived adapter in shell. */
function lines(directory: string, cases: string, hello?: string): string {
  Deno.writeTextFileSync(`${directory}/lines.sh`, shellAdapter(cases, hello).at(-1) ?? "");
  return "jsonl:sh lines.sh";
}

/** Writes an adapter in shell that is called for each question. */
function calls(directory: string, cases: string): string {
  Deno.writeTextFileSync(`${directory}/calls.sh`, `case $1 in\n${cases}\n*) exit 3;;\nesac\n`);
  return "exec:sh calls.sh";
}

const SKELETONS: Readonly<Record<string, { program: string; build?: string; command: string }>> = {
  python: { program: "python3", command: "python3 new/adapter.py" },
  node: { program: "node", command: "node new/adapter.mjs" },
  go: {
    program: "go",
    build: "cd new && GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off go build -o adapter .",
    command: "new/adapter",
  },
  rust: {
    program: "cargo",
    build: "cd new && cargo build --offline",
    command: "new/target/debug/adapter",
  },
  c: {
    program: "cc",
    build: "cd new && cc -Wall -Werror -D_POSIX_C_SOURCE=200809L -O2 -o adapter adapter.c",
    command: "new/adapter",
  },
};

for (const [language, { program, build, command }] of Object.entries(SKELETONS)) {
  Deno.test(`adapter new writes an adapter in ${language} that doctor finds nothing wrong with`, () =>
    withDirectory(async (directory) => {
      const made = await adapter(directory, "new", "--language", language, "--out", "new");
      assertEquals([made.status, made.stderr], [0, ""]);
      assertStringIncludes(made.stdout, `doctor "jsonl:${command.replace("debug", "release")}"`);
      const again = await adapter(directory, "new", "--language", language, "--out", "new");
      assertEquals([again.status, again.stderr.includes("Cannot write new/")], [2, true]);
      if (!await isInstalled(program)) return skip(`${program} is not installed`);
      if (build !== undefined) {
        const { success, stderr } = await new Deno.Command("/bin/sh", {
          args: ["-c", build],
          cwd: directory,
        }).output();
        const reason = new TextDecoder().decode(stderr);
        // A crate that is not on this machine.
        if (!success && /offline/.test(reason)) return skip(reason);
        assertEquals([success, reason.includes("warning")], [true, false], reason);
      }
      const { status, stdout, stderr } = await adapter(directory, "doctor", `jsonl:${command}`);
      assertEquals([status, stderr], [0, ""], stdout);
      assertStringIncludes(stdout, "The protocol is right.");
    }));
}

/** What doctor says of an adapter, and what is wrong with it. */
const WRONG: readonly {
  readonly name: string;
  readonly write: (directory: string) => string;
  readonly says: readonly string[];
}[] = [
  {
    name: "that has unknown names in its description",
    write: (directory) =>
      lines(
        directory,
        "",
        '{"name": "x", "version": "1", "operations": ["digset"], "formats": ["vdi"], ' +
          '"features": ["zstd", "luks.*", "luks.aes-xts", "extended_l2"]}',
      ),
    says: [
      "operations has the unknown name 'digset' (did you mean 'digest'?)",
      "formats has the unknown name 'vdi'",
      "features has the unknown name 'extended_l2' (did you mean 'extended-l2'?)",
    ],
  },
  {
    name: "that prints a message on standard output",
    write: (directory) => lines(directory, "digest) echo opening; answer rejected '\"no\"';;"),
    says: ["WRONG  an image that does not exist is rejected", "other output after 'opening'"],
  },
  {
    name: "that answers an unknown operation, and does not end with its input",
    write: (directory) => lines(directory, `no-such-operation) ok '{}'; trap '' TERM; exec cat;;`),
    says: ["the answer is 'ok', and not unsupported"],
  },
  {
    name: "that dies of an image that does not exist",
    write: (directory) => lines(directory, "digest) echo 'no such file' >&2; exit 1;;"),
    says: ['it ended ({"kind":"exited","code":1}); standard error ends with: no such file'],
  },
  {
    name: "that claims a wrong size",
    write: (directory) =>
      lines(
        directory,
        `info) ok '{"format": "qcow2", "virtual-size": 512}';;`,
        '{"name": "x", "version": "1", "operations": ["info"], "formats": ["qcow2"]}',
      ),
    says: [
      "/virtual-size: expected 1048576, answered 512",
      "cut.qcow2 (info): accepts-invalid",
      "expected: must-reject (qcow2.header.length-min)",
      "hint: numbers above 2^53",
    ],
  },
  {
    name: "that prints its answers on standard error",
    write: (directory) => calls(directory, `describe|probe) echo '{"format": "raw"}' >&2;;`),
    says: ["it prints its answer on standard error"],
  },
  {
    name: "that exits with another status",
    write: (directory) => calls(directory, `digest) echo gone >&2; exit 2;;\nno-such*) exit 0;;`),
    says: [
      "exit status 0, and not 3",
      "exit status 2, and not 1 or 3; it said: gone",
    ],
  },
];

for (const { name, write, says } of WRONG) {
  Deno.test(`adapter doctor says what is wrong with an adapter ${name}`, () =>
    withDirectory(async (directory) => {
      const run = await adapter(directory, "doctor", write(directory), "--timeout", "10");
      assertEquals([run.status, run.stderr], [1, ""], run.stdout);
      for (const text of says) assertStringIncludes(run.stdout, text);
      assertStringIncludes(run.stdout, "Something is wrong");
    }));
}

Deno.test("adapter doctor needs an adapter that starts", () =>
  withDirectory(async (directory) => {
    const args = ["adapter", "doctor", "jsonl:no-such-program"];
    const missing = await spawnDiskproof(directory, args);
    assertEquals(missing.status, 3);
    assertStringIncludes(missing.stderr, "Cannot start no-such-program: it is not on the PATH");
    const tool = await adapter(directory, "doctor", "qemu-img");
    assertEquals(tool.status, 2);
    assertStringIncludes(tool.stderr, "'qemu-img' is not an adapter");
  }));
