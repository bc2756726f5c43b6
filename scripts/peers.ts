/**
 * `peers`: installs the implementations that examples/adapters connects, and validates them.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { parseOptions, print, UsageError } from "../src/cli/mod.ts";

/** An implementation, and how its adapter is made ready. */
interface Installed {
  /** The folder in examples/adapters. */
  readonly name: string;
  /** Programs that must be on the PATH. */
  readonly needs: readonly string[];
  /** Commands that build the adapter, in a copy of its folder. */
  readonly install: readonly (readonly string[])[];
  /** The adapter's command; a word with a slash is in the copy. */
  readonly command: readonly string[];
}

const CARGO = {
  needs: ["cargo"],
  install: [["cargo", "build", "--release", "--quiet"]],
  command: ["./target/release/adapter"],
};

const PYTHON: readonly string[] = ["python3", "./adapter.py"];

/** Versions are in the adapters' go.mod and Cargo.toml, or here. */
const PEERS: readonly Installed[] = [
  { name: "qemu-img", needs: ["python3", "qemu-img"], install: [], command: PYTHON },
  {
    name: "go-qcow2reader",
    needs: ["go"],
    install: [["go", "mod", "tidy"], ["go", "build", "-o", "adapter", "."]],
    command: ["./adapter"],
  },
  {
    name: "dissect.hypervisor",
    needs: ["python3"],
    install: [
      ["python3", "-m", "venv", "venv"],
      ["venv/bin/pip", "install", "--quiet", "dissect.hypervisor==3.21", "backports.zstd"],
    ],
    command: ["./venv/bin/python3", "./adapter.py"],
  },
  {
    name: "dissect.fve",
    needs: ["python3"],
    install: [
      ["python3", "-m", "venv", "venv"],
      ["venv/bin/pip", "install", "--quiet", "dissect.fve==4.6"],
    ],
    command: ["./venv/bin/python3", "./adapter.py"],
  },
  { name: "imago", ...CARGO },
  { name: "qcow2-rs", ...CARGO },
  { name: "7-zip", needs: ["python3", "7zz"], install: [], command: PYTHON },
  {
    name: "nbdkit-luks",
    needs: ["python3", "nbdkit", "nbdcopy", "nbdinfo"],
    install: [],
    command: PYTHON,
  },
];

/** The text of `--help`. */
export const help = `diskproof peers [NAME…] --into DIR [options]

Builds the adapters of examples/adapters in a folder, with the implementations that they connect, and
runs 'validate' with each. Python packages, Go modules and Rust crates come from their registries;
qemu-img, 7-Zip (7zz) and nbdkit must be installed. An implementation whose tools are missing is
skipped, and the reason is printed.

  NAME            ${PEERS.map(({ name }) => name).join(", ")}; all by default
  --into DIR      the folder to build in
  --only TEXT     passed on to validate
  --timeout S     passed on to validate
  --doctor        run 'adapter doctor' instead of 'validate'
  --help          this text

Exit status: 0 every answer is right, 1 an implementation failed, 2 invalid command line.

Example

  deno task diskproof peers imago --into /tmp/peers
`;

const EXAMPLES = new URL("../examples/adapters", import.meta.url).pathname;
const PROGRAM = new URL("./diskproof.ts", import.meta.url).pathname;

/** `peers`: installs implementations and validates them. */
export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["doctor"],
    values: ["into", "only", "timeout"],
  });
  const into = options.value("into");
  if (into === undefined) throw new UsageError("name a folder with --into (see --help)");
  const unknown = options.positional.find((name) => PEERS.every((peer) => peer.name !== name));
  if (unknown !== undefined) throw new UsageError(`unknown implementation '${unknown}'`);
  const chosen = PEERS.filter(({ name }) =>
    options.positional.length === 0 || options.positional.includes(name)
  );
  const passed = ["only", "timeout"].flatMap((name) => {
    const value = options.value(name);
    return value === undefined ? [] : [`--${name}`, value];
  });
  let status = 0;
  for (const peer of chosen) {
    const folder = resolve(into, peer.name);
    const missing = peer.needs.find((program) => !isInstalled(program));
    if (missing !== undefined) {
      print(`skipped: ${peer.name} (${missing} is not installed)`);
      continue;
    }
    print(`\n== ${peer.name}`);
    copyFolder(join(EXAMPLES, peer.name), folder);
    if (!peer.install.every((command) => succeeds(command, folder))) {
      print(`skipped: ${peer.name} cannot be built`);
      continue;
    }
    const verb = options.flag("doctor") ? ["adapter", "doctor"] : ["validate"];
    const command = peer.command.map((word) => word.startsWith("./") ? join(folder, word) : word);
    const validated = await diskproof([...verb, `jsonl:${command.join(" ")}`, ...passed]);
    status = Math.max(status, validated === 0 ? 0 : 1);
  }
  return status;
}

async function diskproof(args: readonly string[]): Promise<number> {
  const permissions = ["--allow-read", "--allow-write", "--allow-run"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, PROGRAM, ...args],
  }).spawn();
  return (await child.status).code;
}

function isInstalled(program: string): boolean {
  const { success } = new Deno.Command("/bin/sh", {
    args: ["-c", 'command -v "$0"', program],
    stdout: "null",
  }).outputSync();
  return success;
}

function succeeds([program = "", ...args]: readonly string[], folder: string): boolean {
  const path = program.includes("/") ? join(folder, program) : program;
  const command = new Deno.Command(path, {
    args,
    cwd: folder,
    stdout: "inherit",
    stderr: "inherit",
  });
  return command.outputSync().success;
}

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(join(from, name), join(to, name));
    else Deno.copyFileSync(join(from, name), join(to, name));
  }
}
