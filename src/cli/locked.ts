import type { Lock } from "../format/mod.ts";
import { formats } from "../formats.ts";
import { imagesOf, type OpenedImage, openRefusal, readRefusal } from "../image/mod.ts";
import type { RuleId } from "../rules/mod.ts";
import { UsageError } from "./verb.ts";

/** What each rule says of the passphrases. */
const LOCKS: ReadonlyMap<RuleId, Lock> = new Map(
  formats.flatMap(({ keys }) => Object.entries(keys?.locks ?? {})),
);

/**
 * @throws {UsageError} when an image of the chain stays locked: its passphrase is missing or wrong, or
 * trying the passphrases is too much work
 */
export function mustBeUnlocked(image: OpenedImage): void {
  for (const at of imagesOf(image)) {
    const reason = whyLocked(at);
    if (reason !== undefined) throw new UsageError(`Cannot open ${at.path}: ${reason}`);
  }
}

/** Why an image is locked; `undefined` also where no passphrase would open it. */
function whyLocked(image: OpenedImage): string | undefined {
  const { findings, layer, definition } = image;
  const rule = readRefusal(image)?.rule;
  if (rule === undefined && layer?.unlocked !== false) return undefined;
  if (openRefusal(image, "info") !== undefined) return undefined;
  const lock = rule === undefined ? undefined : LOCKS.get(rule);
  if (lock === "wrong") {
    const damaged = findings.list().filter((finding) => finding.rule === definition.keys?.damage);
    const reasons = damaged.map(({ message }) =>
      message.charAt(0).toLowerCase() + message.slice(1)
    );
    return ["none of the given passphrases opens it", ...reasons].join("; ");
  }
  if (lock === "missing") return "it is encrypted; give a passphrase with --passphrase-file FILE";
  if (layer?.unlocked !== false) return undefined;
  const locks = findings.rules().map((broken) => LOCKS.get(broken));
  if (locks.includes("memory")) return "a key slot requires more than 1 GiB of memory";
  return locks.includes("work")
    ? "its key slots require more work than --max-iterations allows"
    : undefined;
}
