import config from "../../../deno.json" with { type: "json" };
import { AccessError } from "../../format/mod.ts";
import { formatNamed, formatNames } from "../../formats.ts";
import { digestOf, infoOf, layersOf, mapOf, type OpenedImage } from "../../image/mod.ts";
import type { Opening } from "../../rules/mod.ts";
import { learnHoles } from "../qemu_img/holes.ts";
import { DIGEST_LIMIT } from "../qemu_img/peer.ts";
import { checkReport, NO_CHECKER } from "../answers.ts";
import {
  accepted,
  type CheckReport,
  type DigestReport,
  type DigestScope,
  type InfoReport,
  type MapEntry,
  type Outcome,
  type Peer,
  type PeerDescription,
  rejected,
  type Subject,
  type UnlockReport,
  unsupported,
} from "../peer.ts";
import { openSubject } from "./open.ts";
import { unlockVolume } from "./unlock.ts";

/** The reference implementation as a peer: it answers as public qemu-img should. */
export class ReferencePeer implements Peer {
  /** Name, version and operations of the implementation. */
  describe(): Promise<PeerDescription> {
    return Promise.resolve({
      name: "reference",
      version: config.version,
      operations: ["probe", "info", "map", "check", "digest", "unlock"],
      formats: formatNames,
    });
  }

  /** The format of an image, as the implementation detects it. */
  probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    return ask(keyless(subject), "info", (image) => accepted({ format: image.format }));
  }

  /** The answer to `info`. */
  info(subject: Subject): Promise<Outcome<InfoReport>> {
    return ask(keyless(subject), "info", (image) => accepted(infoOf(image)));
  }

  /** The answer to `map`. */
  map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    return ask(subject, "read", async (image) => {
      const cause = (await learnHoles(image))?.cause;
      if (cause !== undefined && cause.trouble !== "denied") throw cause;
      const { entries, error } = mapOf(image);
      return error === undefined ? accepted(entries) : rejected(error.message);
    });
  }

  /** The answer to `check`. */
  check(subject: Subject): Promise<Outcome<CheckReport>> {
    return ask(subject, "check", (image) => checkOutcome(image));
  }

  /** The SHA-256 of the content, or of a part of it. */
  digest(subject: Subject, scope: DigestScope = {}): Promise<Outcome<DigestReport>> {
    return ask(subject, "read", (image) => {
      const layers = layersOf(image, scope.snapshot);
      if (layers === undefined) return rejected(`There is no snapshot '${scope.snapshot}'`);
      const { start, length } = scope.range ??
        { start: 0, length: layers[0]?.virtualSize ?? 0 };
      if (length > DIGEST_LIMIT) {
        return unsupported(`The content is ${length} bytes long`);
      }
      return accepted({ sha256: digestOf(layers, { from: start, to: start + length }), length });
    });
  }

  unlock(subject: Subject): Promise<Outcome<UnlockReport>> {
    try {
      return Promise.resolve(unlockVolume(subject));
    } catch (error) {
      if (error instanceof AccessError) return Promise.resolve(rejected(error.message));
      throw error;
    }
  }
}

/** The image alone, without passphrases: nothing in the answer to `info` is encrypted. */
function keyless({ passphrases: _, ...subject }: Subject): Subject & { alone: boolean } {
  return { ...subject, alone: true };
}

/** Opens the image as the question needs it, and answers; what an image can cause is an outcome. */
async function ask<T>(
  subject: Subject & { alone?: boolean },
  opening: Opening,
  answer: (image: OpenedImage) => Outcome<T> | Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const { format, alone = false } = subject;
  if (format !== undefined && formatNamed(format) === undefined) {
    return unsupported(`No format ${format}`);
  }
  const image = openSubject(subject, { alone });
  try {
    const refusal = image.findings.refusal(opening);
    if (refusal !== undefined) return rejected(refusal.message);
    const isForeign = image.layer === undefined && image.findings.unknown() !== undefined;
    if (isForeign) return unsupported("The format of the image is not read");
    if (image.layer === undefined) return rejected("The image does not open");
    if (!alone && image.incomplete) {
      return unsupported("A named file was not opened");
    }
    return await answer(image);
  } catch (error) {
    if (error instanceof AccessError) return Promise.resolve(rejected(error.message));
    throw error;
  } finally {
    image.close();
  }
}

/** The answer to `check` of an image that opens for it. */
export function checkOutcome({ layer, findings }: OpenedImage): Outcome<CheckReport> {
  if (layer?.check === undefined) return accepted({ exitCode: NO_CHECKER });
  const counts = layer.check(findings);
  if (counts === undefined) return rejected("The check does not come to its end");
  return accepted(checkReport(counts));
}
