/**
 * Whether QEMU takes a name for a protocol (`json:`, `nbd://…`) rather than a path: it has a colon
 * before the first slash.
 */
export function isProtocol(name: string): boolean {
  const colon = name.indexOf(":");
  const slash = name.indexOf("/");
  return colon >= 0 && (slash < 0 || colon < slash);
}

/**
 * A name as QEMU resolves it: against the folder of the image that names it, as text. A relative image
 * name stays relative.
 */
export function resolveName(image: string, name: string): string {
  return isProtocol(name) ? name : resolvePath(image, name);
}

/** The same for what is a path, whatever it looks like. */
export function resolvePath(image: string, path: string): string {
  return path.startsWith("/") ? path : image.slice(0, image.lastIndexOf("/") + 1) + path;
}

/** The folder of a path, as text. */
export function folderOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, Math.max(1, end));
}
