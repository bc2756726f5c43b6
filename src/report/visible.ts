import { shownName } from "../format/mod.ts";

/**
 * Text that came out of an image, for a terminal: control characters, which a terminal would obey, are
 * written as escapes, and so are the bytes of a name that are not UTF-8.
 */
export function visible(text: string): string {
  return shownName(text).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (unit) => {
    return "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0");
  });
}

const UNITS = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/**
 * A size as qemu-img prints it for a person, in three digits: `196 KiB`.
 *
 * @param bytes at least 0
 */
export function sizeText(bytes: number): string {
  let unit = 0;
  let value = bytes;
  // QEMU goes on to the next unit from 1000 on, so that three digits are enough.
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${threeDigits(value)} ${UNITS[unit]}B`;
}

/** What `%0.3g` makes of a number that is less than 1000 or as good as that. */
function threeDigits(value: number): string {
  const digits = value.toPrecision(3);
  if (digits.includes("e")) return "1e+03";
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}
