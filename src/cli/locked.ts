import { type OpenedImage, openRefusal, readRefusal } from "../image/mod.ts";
import { UsageError } from "./verb.ts";

/** There is no passphrase. */
const LOCKED: ReadonlySet<string> = new Set([
  "luks2.open.key-present",
  "luks.open.key-present",
  "qcow1.crypt.key-present",
  "qcow2.crypt.key-present",
]);

/** No passphrase is right. */
const WRONG: ReadonlySet<string> = new Set(["luks.key.unlock", "luks2.key.unlock"]);

/**
 * @throws {UsageError} when an image of the chain stays locked: its passphrase is missing or wrong, or
 * trying the passphrases is too much work
 */
export function mustBeUnlocked(image: OpenedImage): void {
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    const reason = whyLocked(at);
    if (reason !== undefined) throw new UsageError(`Cannot open ${at.path}: ${reason}`);
  }
}

/** Why an image is locked; `undefined` also where no passphrase would open it. */
function whyLocked(image: OpenedImage): string | undefined {
  const { findings, layer } = image;
  const rule = readRefusal(image)?.rule;
  if (rule === undefined && layer?.unlocked !== false) return undefined;
  if (openRefusal(image, "info") !== undefined) return undefined;
  if (rule !== undefined && WRONG.has(rule)) return "none of the given passphrases opens it";
  if (rule !== undefined && LOCKED.has(rule)) {
    return "it is encrypted; give a passphrase with --passphrase-file FILE";
  }
  if (layer?.unlocked !== false) return undefined;
  if (findings.count("luks2.work.memory") > 0) {
    return "a key slot requires more than 1 GiB of memory";
  }
  const isDear = findings.count("luks.work.iterations-budget") > 0 ||
    findings.count("luks2.work.budget") > 0;
  return isDear ? "its key slots require more work than --max-iterations allows" : undefined;
}
