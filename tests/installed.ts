/** Programs that a test needs, and that may not be there. */

/** Whether a program is on the PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `command -v ${program}`],
    stdout: "null",
  }).output();
  return success;
}

/** Says why a test ends early. */
export function skip(why: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${why}\n`));
}
