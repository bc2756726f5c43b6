import { keySlotOf, type OpenedImage, openImage } from "../image/mod.ts";
import { ITERATIONS_MAX } from "../luks1/mod.ts";
import { mustBeKnown, mustNotBeStandardInput } from "./images.ts";
import { type Options, wholeNumber } from "./options.ts";
import { jsonLine, print } from "./output.ts";
import { passphrasesOf } from "./passphrases.ts";
import { whyUnreadable } from "./reasons.ts";
import { ImageError, UsageError } from "./verb.ts";

/** LUKS version 2 has room for 32 key slots. */
const SLOT_MAX = 31;

/**
 * The slot that `--slot` or, as cryptsetup calls it, `--key-slot` names.
 *
 * @throws {UsageError} for both, or for a number past the last slot
 */
export function slotOption(options: Options, max: number): number | undefined {
  const [slot, other] = ["slot", "key-slot"].map((name) =>
    wholeNumber(options, name, { min: 0, max })
  );
  if (slot !== undefined && other !== undefined) {
    throw new UsageError("--slot and --key-slot are the same option: give one of them");
  }
  return slot ?? other;
}

/**
 * `key test`: prints the slot that the first passphrase that opens one opens.
 *
 * @throws {UsageError} when no passphrase opens a slot, or trying them is too much work
 * @throws {ImageError} when the file has no usable key slots
 */
export function testKey(path: string, options: Options): number {
  const passphrases = passphrasesOf(options);
  if (passphrases.length === 0) throw new UsageError("test needs a passphrase (--passphrase-file)");
  for (const name of ["new-passphrase-file", "new-passphrase"]) {
    if (options.list(name).length > 0) {
      throw new UsageError("test does not accept a new passphrase");
    }
  }
  const slot = slotOption(options, SLOT_MAX);
  const iterationsMax = wholeNumber(options, "max-iterations", { min: 1, max: ITERATIONS_MAX });
  const limits = {
    ...(slot === undefined ? {} : { slot }),
    ...(iterationsMax === undefined ? {} : { iterationsMax }),
  };
  const image = opened(path);
  try {
    mustBeKnown(image);
    let damaged: readonly string[] = [];
    for (const passphrase of passphrases) {
      const found = keySlotOf(image, passphrase, limits);
      if (found === undefined) throw cannotTest(path, `a ${image.format} image has no key slots`);
      if ("slot" in found) return report(path, found.slot, options);
      if (!found.isWrong) throw cannotTest(path, found.message);
      damaged = found.damaged ?? [];
    }
    const what = slot === undefined ? "opens no key slot" : `does not open key slot ${slot}`;
    const reasons = damaged.map((text) => `; ${text.charAt(0).toLowerCase()}${text.slice(1)}`);
    throw new UsageError(`The passphrase ${what} of ${path}${reasons.join("")}`);
  } finally {
    image.close();
  }
}

function opened(path: string): OpenedImage {
  mustNotBeStandardInput(path);
  try {
    return openImage(path, { detect: true, alone: true });
  } catch (error) {
    throw new UsageError(`Cannot open ${path}: ${whyUnreadable(error)}`);
  }
}

function cannotTest(path: string, message: string): ImageError | UsageError {
  const reason = message.charAt(0).toLowerCase() + message.slice(1);
  const text = `Cannot test keys of ${path}: ${reason}`;
  return /budget of \d+$/.test(reason)
    ? new UsageError(`${text} (--max-iterations changes it)`)
    : new ImageError(text);
}

function report(path: string, slot: number, options: Options): number {
  print(options.flag("json") ? jsonLine({ image: path, slot }) : `key slot ${slot} opens`);
  return 0;
}
