/** Programs that behave as broken tools do, and a Deno that finds nothing else on the PATH. */

/** How a tool behaves that does not work, by the text of its file. */
const FAKES = {
  fails: "#!/bin/sh\necho 'cannot load a library' >&2\nexit 1\n",
  dies: "#!/bin/sh\nkill -SEGV $$\n",
  hangs: "#!/bin/sh\ntrap '' TERM\nPATH=/bin:/usr/bin exec sleep 1000\n",
  silent: "#!/bin/sh\necho no number here\n",
  uninterpreted: "#!/no/such/interpreter\n",
} as const;

/** The name of a behaviour. */
export type Fake = keyof typeof FAKES;

/** What a program left behind. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs Deno with a PATH that is one directory, which it makes, with these tools in it.
 *
 * @param directory where the directory of the tools goes
 */
export async function denoWithFakes(
  directory: string,
  tools: Readonly<Record<string, Fake>>,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const path = Deno.makeTempDirSync({ dir: directory });
  for (const [name, fake] of Object.entries(tools)) {
    Deno.writeTextFileSync(`${path}/${name}`, FAKES[fake], { mode: 0o755 });
  }
  // Deno looks a program up on the PATH that its child is to have, and would not find itself.
  const script = 'PATH="$0" && export PATH && exec "$@"';
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", script, path, Deno.execPath(), ...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
