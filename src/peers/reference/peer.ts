import { digestOf, infoOf, layersOf, mapOf, type OpenedImage, openImage } from "../../image/mod.ts";
import { AccessError } from "../../format/mod.ts";
import { formatNamed, formatNames } from "../../formats.ts";
import type { Opening } from "../../rules/mod.ts";
import { learnHoles } from "../qemu_img/holes.ts";
import { DIGEST_LIMIT } from "../qemu_img/peer.ts";
import type {
  CheckReport,
  DigestReport,
  DigestScope,
  InfoReport,
  MapEntry,
  Outcome,
  Peer,
  PeerDescription,
  Subject,
  UnlockReport,
} from "../peer.ts";
import { unlockVolume } from "./unlock.ts";

/** The reference implementation as a peer: it answers as public qemu-img should. */
export class ReferencePeer implements Peer {
  describe(): Promise<PeerDescription> {
    return Promise.resolve({
      name: "reference",
      version: "0.1.0",
      operations: ["probe", "info", "map", "check", "digest", "unlock"],
      formats: formatNames,
    });
  }

  probe(subject: Subject): Promise<Outcome<{ format: string }>> {
    return ask(keyless(subject), "info", (image) => accepted({ format: image.format }));
  }

  info(subject: Subject): Promise<Outcome<InfoReport>> {
    return ask(keyless(subject), "info", (image) => accepted(infoOf(image)));
  }

  map(subject: Subject): Promise<Outcome<readonly MapEntry[]>> {
    return ask(subject, "read", async (image) => {
      await learnHoles(image);
      const { entries, error } = mapOf(image);
      return error === undefined ? accepted(entries) : rejected(error.message);
    });
  }

  check(subject: Subject): Promise<Outcome<CheckReport>> {
    return ask(subject, "check", (image) => checkOutcome(image));
  }

  digest(subject: Subject, scope: DigestScope = {}): Promise<Outcome<DigestReport>> {
    return ask(subject, "read", (image) => {
      const layers = layersOf(image, scope.snapshot);
      if (layers === undefined) return rejected(`There is no snapshot '${scope.snapshot}'`);
      const { start, length } = scope.range ??
        { start: 0, length: layers[0]?.virtualSize ?? 0 };
      if (length > DIGEST_LIMIT) {
        return { outcome: "unsupported", message: `The content is ${length} bytes long` };
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

/** The image by itself, without passphrases: nothing that `info` tells is encrypted. */
function keyless({ passphrases: _, ...subject }: Subject): Subject & { alone: boolean } {
  return { ...subject, alone: true };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function accepted<T>(value: T): Outcome<T> {
  return { outcome: "accepted", value };
}

function rejected(message: string): Outcome<never> {
  return { outcome: "rejected", message };
}

/** Opens the image as the question needs it, and answers; what an image can cause is an outcome. */
async function ask<T>(
  subject: Subject & { alone?: boolean },
  opening: Opening,
  answer: (image: OpenedImage) => Outcome<T> | Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const { path, format, directory, header, passphrases, alone = false } = subject;
  if (format !== undefined && formatNamed(format) === undefined) {
    return { outcome: "unsupported", message: `No format ${format}` };
  }
  const image = openImage(path, {
    alone,
    ...(directory === undefined ? {} : { directory }),
    ...(format === undefined ? {} : { format }),
    ...(header === undefined ? {} : { header }),
    ...(passphrases === undefined ? {} : { passphrases: passphrases.map(utf8) }),
  });
  try {
    const refusal = image.findings.refusal(opening);
    if (refusal !== undefined) return rejected(refusal.message);
    if (image.layer === undefined) return rejected("The image does not open");
    if (!alone && image.incomplete) {
      return { outcome: "unsupported", message: "A named file was not opened" };
    }
    return await answer(image);
  } catch (error) {
    if (error instanceof AccessError) return Promise.resolve(rejected(error.message));
    throw error;
  } finally {
    image.close();
  }
}

const NO_CHECKER = 63;

/** The answer to `check` of an image that opens for it. */
export function checkOutcome({ layer, findings }: OpenedImage): Outcome<CheckReport> {
  if (layer?.check === undefined) return accepted({ exitCode: NO_CHECKER });
  const counts = layer.check(findings);
  if (counts === undefined) return rejected("The check does not come to its end");
  const { checkErrors, corruptions, leaks } = counts;
  const exitCode = checkErrors > 0 ? 1 : corruptions > 0 ? 2 : leaks > 0 ? 3 : 0;
  return accepted({ exitCode, counts });
}
