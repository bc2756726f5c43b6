const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "its symbolic links form a loop",
  ENOTDIR: "a part of its path is not a folder",
  ENAMETOOLONG: "its name is too long",
  ENXIO: "it is not a regular file",
};

/** The reason in an error of the file system, without the name of the file. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return whyForbidden(error.message);
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === "string" ? REASONS[code] : undefined;
  return known ?? String(message).replace(/^Cannot \w+ .*?: /, "")
    .replace(/(\(os error \d+\)): \w+ '[^]*$/, "$1");
}

/** Deno requires all permissions together for files in /dev, /proc and /sys. */
function whyForbidden(message: string): string {
  return message.includes("Requires all access")
    ? "Deno opens files in /dev, /proc and /sys only with --allow-all; a block device is also " +
      "read through a copy of its node in another folder (cp -a)"
    : message.replace(/, run again with .*$/, "");
}

/** The message about a format that is not in a list. */
export function unsupportedFormat(format: string, supported: readonly string[]): string {
  return `unsupported format '${format}' (supported: ${supported.join(", ")})`;
}
