import { type OpenedImage, openRefusal, readRefusal } from "../image/mod.ts";
import { UsageError } from "./verb.ts";

/** There is no passphrase. */
const LOCKED: ReadonlySet<string> = new Set([
  "luks2.open.key-present",
  "luks.open.key-present",
  "qcow1.crypt.key-present",
  "qcow2.crypt.key-present",
]);

/** No passphrase is the right one. */
const WRONG: ReadonlySet<string> = new Set(["luks.key.unlock", "luks2.key.unlock"]);

/**
 * @throws {UsageError} when an image of the chain lacks its passphrase, or has got only wrong ones, or
 * trying them is too much work
 */
export function mustBeUnlocked(image: OpenedImage): void {
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    const reason = whyLocked(at);
    if (reason !== undefined) throw new UsageError(`Cannot open ${at.path}: ${reason}`);
  }
}

/** Why an image is locked, by itself; `undefined` too where it does not open whatever the passphrase. */
function whyLocked(image: OpenedImage): string | undefined {
  const { findings, layer } = image;
  const rule = readRefusal(image)?.rule;
  if (rule === undefined && layer?.unlocked !== false) return undefined;
  if (openRefusal(image, "info") !== undefined) return undefined;
  if (rule !== undefined && WRONG.has(rule)) return "no passphrase that was given opens it";
  if (rule !== undefined && LOCKED.has(rule)) {
    return "it is encrypted; --passphrase-file FILE gives a passphrase";
  }
  if (layer?.unlocked !== false) return undefined;
  if (findings.count("luks2.work.memory") > 0) return "a key slot takes more memory than 1 GiB";
  const isDear = findings.count("luks.work.iterations-budget") > 0 ||
    findings.count("luks2.work.budget") > 0;
  return isDear ? "its key slots take more work than --max-iterations allows" : undefined;
}
