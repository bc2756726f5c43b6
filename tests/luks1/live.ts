/** Asks installed tools about LUKS volumes, each time in a process of its own. */

const TIMEOUT_MS = 120_000;

/** How a tool ended and what it said. */
export interface Answer {
  readonly code: number;
  /** What killed it, where something did. */
  readonly signal: string | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Runs a tool to its end, however that is. */
export async function run([program = "", ...args]: readonly string[]): Promise<Answer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const result = await new Deno.Command(program, { args, signal, stdin: "null" }).output();
  return {
    code: result.code,
    signal: result.signal,
    stdout: result.stdout,
    stderr: new TextDecoder().decode(result.stderr),
  };
}

/** Runs a tool that must succeed, and returns what it printed. */
export async function succeed(command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command);
  const said = new TextDecoder().decode(stdout);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${said}${stderr}`);
  return said;
}

/** The files of a volume, and what opens it. */
export interface VolumeFiles {
  readonly path: string;
  /** The file with the payload of a detached header. */
  readonly payload?: string;
  /** The file with the passphrase. */
  readonly passphrase: string;
}

/** The options with which qemu-img and qemu-io open a volume with its passphrase. */
export function withKey({ path, payload, passphrase }: VolumeFiles): string[] {
  const files = payload === undefined
    ? `file.filename=${path}`
    : `header.driver=file,header.filename=${path},file.filename=${payload}`;
  const image = `driver=luks,key-secret=key,${files}`;
  return ["--object", `secret,id=key,file=${passphrase}`, "--image-opts", image];
}

/** The same without the passphrase, which is enough for `info`. */
export function withoutKey({ path, payload }: Omit<VolumeFiles, "passphrase">): string[] {
  if (payload === undefined) return ["-f", "luks", path];
  const files = `header.driver=file,header.filename=${path},file.filename=${payload}`;
  return ["--image-opts", `driver=luks,${files}`];
}

/** The output of `info` for a volume; `undefined` if qemu-img rejects it. */
export async function infoOf(
  files: Omit<VolumeFiles, "passphrase">,
): Promise<Record<string, unknown> | undefined> {
  const { code, signal, stdout, stderr } = await run(
    ["qemu-img", "info", "--output=json", ...withoutKey(files)],
  );
  if (signal !== null) throw new Error(`qemu-img info died of ${signal}: ${stderr}`);
  return code === 0 ? JSON.parse(new TextDecoder().decode(stdout)) : undefined;
}

/** All of the content, or qemu-img's message if it rejects the volume or crashes. */
export async function contentOf(files: VolumeFiles): Promise<Uint8Array | Answer> {
  const raw = `${files.path}.raw`;
  const answer = await run(["qemu-img", "convert", ...withKey(files), "-O", "raw", raw]);
  return answer.code === 0 && answer.signal === null ? await Deno.readFile(raw) : answer;
}

const RETRIES = 30;
/** What 7.2 says where the clock of the machine is too coarse for it. */
const NO_CLOCK = /accurate CPU usage/;

/** Runs a command of qemu-img that measures PBKDF2, again where it fails to. */
export async function measured(command: readonly string[]): Promise<void> {
  for (let tries = 0;; tries++) {
    const { code, stderr } = await run(command);
    if (code === 0) return;
    if (!NO_CLOCK.test(stderr) || tries === RETRIES) {
      throw new Error(`${command.join(" ")} ended with ${code}: ${stderr}`);
    }
  }
}
