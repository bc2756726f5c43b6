import type { JsonNode } from "./value.ts";

/** Length in bytes of a value as json-c prints it without white space. */
export function printedLength(node: JsonNode): number {
  switch (node.kind) {
    case "object":
      return [...node.members].reduce(
        (sum, [name, value]) => sum + printedText(name) + 2 + printedLength(value),
        1 + Math.max(1, node.members.size),
      );
    case "array":
      return node.items.reduce(
        (sum, item) => sum + printedLength(item),
        1 + Math.max(1, node.items.length),
      );
    case "string":
      return printedText(node.whole);
    case "int":
      return String(node.value).length;
    default:
      return node.end - node.start;
  }
}

const PRINTED_SHORT = '"\\\b\f\n\r\t';

function printedText(text: string): number {
  let length = 2;
  for (const char of text) {
    if (PRINTED_SHORT.includes(char)) length += 2;
    else if (char < " ") length += 6;
    else length += utf8Length(char.codePointAt(0) ?? 0);
  }
  return length;
}

function utf8Length(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
