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
