import { shownName } from "./names.ts";

/**
 * Text from an image, for a terminal: control characters, which a terminal would execute, are
 * escaped, and so are the bytes of a name that are not UTF-8.
 */
export function visible(text: string): string {
  // Nearly all text is plain, and this is fast to find out.
  if (!/[^ -~]/.test(text)) return text;
  return shownName(text).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (unit) => {
    return "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0");
  });
}
