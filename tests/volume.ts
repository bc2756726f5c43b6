/** LUKS volumes as the reference opens them. */

import { brokenImage, type Case, type CaseImage, keptImage } from "../corpus/cases/mod.ts";
import type { ByteSource } from "../src/bytes/mod.ts";
import type { FormatDriver, Layer } from "../src/format/mod.ts";
import { Findings, type RuleId } from "../src/rules/mod.ts";

/** A volume, and the passphrase that is tried on it. */
export interface Volume {
  readonly source: ByteSource;
  /** The payload of a detached header. */
  readonly payload?: ByteSource;
  /** None where it is absent. */
  readonly passphrase?: string;
  readonly iterationsMax?: number;
}

/** The volumes of a case. */
export function volumesOf(of: Case): { readonly broken: Volume; readonly kept: Volume } {
  return { broken: volumeIn(brokenImage(of)), kept: volumeIn(keptImage(of)) };
}

/** The volume of an image, with its first passphrase. */
export function volumeIn({ image, header, files, passphrases, budget }: CaseImage): Volume {
  const [passphrase] = passphrases;
  const detached = header === undefined ? undefined : files[header];
  return {
    source: detached ?? image,
    ...(detached === undefined ? {} : { payload: image }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(budget === undefined ? {} : { iterationsMax: budget }),
  };
}

/** A volume that was opened. */
export interface Opened {
  readonly findings: Findings;
  readonly layer: Layer | undefined;
}

/** How volumes of a driver are opened. */
export interface Opening {
  open(volume: Volume): Opened;
  /** The rules that a volume breaks, in the order in which that was found. */
  brokenRules(volume: Volume): RuleId[];
}

/** Opens volumes by a driver. */
export function openingBy(driver: FormatDriver): Opening {
  const open = ({ source, payload, passphrase, iterationsMax }: Volume): Opened => {
    const findings = new Findings();
    const layer = driver.open(source, findings, {
      ...(payload === undefined ? {} : { payload }),
      ...(passphrase === undefined ? {} : { passphrases: [new TextEncoder().encode(passphrase)] }),
      ...(iterationsMax === undefined ? {} : { iterationsMax }),
    });
    return { findings, layer };
  };
  return { open, brokenRules: (volume) => open(volume).findings.rules() };
}

/** All of the content. */
export function readAll(layer: Layer): Uint8Array {
  const target = new Uint8Array(layer.virtualSize);
  for (const run of layer.runs(0, layer.virtualSize)) {
    layer.readRun(run, 0, target.subarray(run.start, run.start + run.length));
  }
  return target;
}

/** What the findings say. */
export function messagesOf(findings: Findings): string[] {
  return findings.list().map(({ rule, message }) => `${rule}: ${message}`);
}
