import type { ByteSource } from "../bytes/mod.ts";
import { legacyAes } from "../crypto/mod.ts";
import type { DriverOptions, FormatDriver, Layer } from "../format/mod.ts";
import { decode } from "../layout/mod.ts";
import type { Findings } from "../rules/mod.ts";
import { qcow1Anatomy } from "./anatomy/anatomy.ts";
import { decodeQcow1 } from "./decode.ts";
import type { Broken } from "./findings.ts";
import { judgeOpen } from "./judge/header.ts";
import { scanQcow1 } from "./scan/scan.ts";
import { Qcow1Layer } from "./layer.ts";
import { header, QCOW_MAGIC } from "./structures.ts";

/**
 * qcow version 1.
 *
 * @example
 * ```ts
 * import { MemorySource } from "../bytes/mod.ts";
 * import { Findings } from "../rules/mod.ts";
 * import { qcow1Driver } from "./mod.ts";
 *
 * const findings = new Findings();
 * qcow1Driver.open(new MemorySource(new Uint8Array(48)), findings); // undefined
 * findings.rules(); // ["qcow1.header.magic"]
 * ```
 */
export const qcow1Driver: FormatDriver = Object.freeze({
  probe,
  nearMiss,
  open,
  scan: scanQcow1,
  anatomy: qcow1Anatomy,
});

/** QEMU's qcow_probe. */
function probe(head: Uint8Array): boolean {
  const { magic, version } = decode(header, head);
  return magic === QCOW_MAGIC && version === 1;
}

/** Version 0 is neither this format nor qcow2. */
function nearMiss(head: Uint8Array): Broken | undefined {
  const { magic, version } = decode(header, head);
  if (magic !== QCOW_MAGIC || version !== 0) return undefined;
  const message = "The file has the qcow magic and version 0: it is raw";
  return { rule: "blk.probe.version", place: { path: "/", offset: 0 }, message };
}

/** A passphrase cannot be verified, so the first one is used. */
function open(
  source: ByteSource,
  findings: Findings,
  options: DriverOptions = {},
): Layer | undefined {
  const file = decodeQcow1(source);
  const [passphrase] = options.passphrases ?? [];
  const geometry = judgeOpen(file, findings, { hasKey: passphrase !== undefined });
  if (geometry === undefined) return undefined;
  return new Qcow1Layer(file, geometry, passphrase && legacyAes(passphrase));
}
