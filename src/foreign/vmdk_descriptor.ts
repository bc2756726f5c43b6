const LF = 0x0a;
const VERSION = /^version=[123]\r?\n/;
const COMMENT = /^#[^\n]*\n/;
/** A line is blank only where it starts with a blank: an empty one is not. */
const BLANK = /^ +\r?\n/;

/**
 * Whether the first bytes of a file are the descriptor of a VMDK image: after comments and blank lines
 * comes the version, and all of that is in these bytes.
 */
export function isVmdkDescriptor(head: Uint8Array): boolean {
  let rest = String.fromCharCode(...head.subarray(0, head.lastIndexOf(LF) + 1));
  for (let line = lineOf(rest); line !== undefined; line = lineOf(rest)) {
    rest = rest.slice(line.length);
  }
  return VERSION.test(rest);
}

function lineOf(text: string): string | undefined {
  return (COMMENT.exec(text) ?? BLANK.exec(text))?.[0];
}
