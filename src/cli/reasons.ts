const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "its symbolic links lead in a circle",
  ENOTDIR: "a part of its path is no directory",
  ENAMETOOLONG: "its name is too long",
  ENXIO: "it is not a regular file",
};

/** The reason in an error that a file system gave, without the name of the file. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return whyForbidden(error.message);
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === "string" ? REASONS[code] : undefined;
  return known ?? String(message).replace(/^Cannot \w+ .*?: /, "");
}

/** Deno asks for every permission at once below /dev, /proc and /sys, which no task here gives. */
function whyForbidden(message: string): string {
  return message.includes("Requires all access")
    ? "files below /dev, /proc and /sys are out of reach; copy it to another folder"
    : message.replace(/, run again with .*$/, "");
}
