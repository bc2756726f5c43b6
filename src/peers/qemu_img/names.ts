/**
 * A path as an argument of a QEMU tool. QEMU reads the part before a colon as a protocol unless a slash
 * comes first. A leading dash needs an option terminator (`--`) before the path.
 */
export function toolPath(path: string): string {
  return hasProtocol(path) ? `./${path}` : path;
}

function hasProtocol(path: string): boolean {
  const colon = path.indexOf(":");
  const slash = path.indexOf("/");
  return colon >= 0 && (slash < 0 || colon < slash);
}

/** A value inside a comma-separated option list, where a comma is written twice. */
export function optionValue(value: string): string {
  return value.replaceAll(",", ",,");
}

/**
 * Block device options as a file name without white space, for tools that split their command
 * line at blanks and know no quoting.
 */
export function jsonName(options: { readonly [key: string]: string | boolean }): string {
  const json = JSON.stringify(options);
  return "json:" + json.replace(/[^\x21-\x7e]/g, (character) => {
    return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
  });
}
