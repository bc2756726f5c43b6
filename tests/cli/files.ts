import { withScratch } from "../../src/peers/mod.ts";

/** Hands a test a directory; not one below /dev, where Deno lets a task read nothing. */
export function withDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  return withScratch(test, "/tmp");
}

/** Makes a symbolic link, which Deno grants to nobody who may not write everywhere. */
export function makeLink(target: string, path: string): Promise<void> {
  return shell('ln -s -- "$1" "$2"', target, path);
}

/** Makes a FIFO, for which Deno has no call. */
export function makeFifo(path: string): Promise<void> {
  return shell('mkfifo -- "$1"', path);
}

async function shell(script: string, ...args: readonly string[]): Promise<void> {
  const command = new Deno.Command("/bin/sh", { args: ["-c", script, "sh", ...args] });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
