import { storedSize } from "../bytes/mod.ts";
import { type Damage, type DamageSummary, FoldedRanges, rangesText } from "../format/mod.ts";
import type { OpenedImage } from "./opened_image.ts";

/** Runs that are looked at beyond those that the file can hold. */
const RUN_BUDGET = 2 ** 21;
const BYTES_PER_RUN = 64;

/**
 * A summary of what is wrong with the content of an image file, by cause and guest range; `undefined` if
 * nothing is. Its backing file is not looked at, and content that only a passphrase opens is not damaged.
 */
export function damageIn({ layer, source, definition }: OpenedImage): DamageSummary | undefined {
  if (layer?.damage !== undefined) return layer.damage();
  if (layer === undefined) return undefined;
  const locks = definition.keys?.locks ?? {};
  const beyond = new FoldedRanges();
  const unreadable = new FoldedRanges();
  let why = "";
  let content = 0;
  let budget = RUN_BUDGET + storedSize(source) / BYTES_PER_RUN;
  for (const { start, length, kind, host, broken } of layer.runs(0, layer.virtualSize)) {
    if (--budget < 0) break;
    if (broken !== undefined) {
      if (Object.hasOwn(locks, broken.rule)) return undefined;
      content += length;
      if (unreadable.count === 0) why = broken.message;
      unreadable.add(start, length);
      continue;
    }
    if (kind !== "data" && kind !== "compressed") continue;
    content += length;
    if (host === undefined || host + length <= source.size) continue;
    // A file may end in the last cluster.
    const { clusterSize } = layer;
    const stored = Math.max(0, Math.ceil((source.size - host) / clusterSize) * clusterSize);
    if (stored >= length) continue;
    beyond.add(start + stored, length - stored);
  }
  const causes: Damage[] = [];
  if (beyond.count > 0) {
    const message = `The file ends at 0x${source.size.toString(16)}, before ${beyond.bytes} ` +
      `bytes of guest range ${rangesText(beyond)}`;
    causes.push({ cause: "truncated", message, guest: beyond });
  }
  if (unreadable.count > 0) {
    const message = `Guest range ${rangesText(unreadable)} cannot be read: ${why}`;
    causes.push({ cause: "unreadable", message, guest: unreadable });
  }
  if (causes.length === 0) return undefined;
  return { causes, affected: beyond.bytes + unreadable.bytes, content };
}
