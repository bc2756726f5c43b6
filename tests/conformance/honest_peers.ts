/** Two honest implementations: one that does the least, and one that rejects whatever it may reject. */

import type { Buffer } from "node:buffer";
import { judgeImage } from "../../src/image/mod.ts";
import {
  accepted,
  type Answers,
  type DigestScope,
  ForwardingPeer,
  openSubject,
  type Outcome,
  type PeerDescription,
  ReferencePeer,
  rejected,
  type Subject,
  unsupported,
} from "../../src/peers/mod.ts";
import { digestOf, Lacking, Rejected, type Stretch } from "./lazy_disk.ts";
import { openLazily } from "./lazy_reader.ts";

/** Bytes of a disk that the lazy reader maps or hashes. */
const MAP_MAX = 2 ** 34;

/** The lazy reader as a peer: content and a coarse map, no check. */
export class LazyPeer extends ForwardingPeer {
  /** An image is asked several questions. */
  readonly #files = new WeakMap<Subject, Map<string, Buffer>>();

  describe(): Promise<PeerDescription> {
    return Promise.resolve({
      name: "lazy",
      version: "1",
      operations: ["probe", "info", "map", "digest"],
      formats: ["raw", "qcow", "qcow2"],
    });
  }

  protected override ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    { snapshot, range }: DigestScope = {},
  ): Promise<Outcome<Answers[O]>> {
    const { path, directory = ".", format, header, passphrases = [] } = subject;
    const files = this.#files.get(subject) ?? new Map<string, Buffer>();
    this.#files.set(subject, files);
    try {
      if (header !== undefined || passphrases.length > 0) throw new Lacking("encryption");
      if (snapshot !== undefined) throw new Lacking("snapshots");
      return Promise.resolve(accepted(answer()) as Outcome<Answers[O]>);
    } catch (error) {
      if (error instanceof Lacking) return Promise.resolve(unsupported(error.message));
      if (error instanceof Rejected) return Promise.resolve(rejected(error.message));
      throw error;
    }

    function answer(): unknown {
      if (operation === "check" || operation === "unlock") throw new Lacking(operation);
      const disk = openLazily(directory, path, {
        format,
        alone: ["probe", "info"].includes(operation),
        files,
      });
      if (operation === "probe") return { format: disk.format };
      if (operation === "info") return { format: disk.format, "virtual-size": disk.size };
      if (operation === "map") {
        if (disk.size > MAP_MAX) throw new Lacking("such a long map");
        return listed(disk.stretches(0, disk.size));
      }
      const { start, length } = range ?? { start: 0, length: disk.size };
      if (length > MAP_MAX) throw new Lacking("such a long digest");
      return { sha256: digestOf(disk, start, start + length), length };
    }
  }
}

/** Stretches of a map, of which each takes some hundred bytes. */
const STRETCHES_MAX = 2 ** 19;

/** A disk of small clusters has a stretch for each of them. */
function listed(stretches: Iterable<Stretch>): Stretch[] {
  const list: Stretch[] = [];
  for (const stretch of stretches) {
    if (list.length === STRETCHES_MAX) throw new Lacking("so many clusters");
    list.push(stretch);
  }
  return list;
}

/** The reference, but it rejects every image that breaks any `must`, or exceeds a limit of QEMU. */
export class StrictPeer extends ForwardingPeer {
  readonly #reference = new ReferencePeer();
  /** Judging an image with a passphrase is slow, and it is asked several questions. */
  readonly #judged = new WeakMap<Subject, { readonly message: string | undefined }>();

  async describe(): Promise<PeerDescription> {
    return { ...await this.#reference.describe(), name: "strict" };
  }

  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope?: DigestScope,
  ): Promise<Outcome<Answers[O]>> {
    const { message } = this.#judged.get(subject) ?? { message: whyInvalid(subject) };
    this.#judged.set(subject, { message });
    if (message !== undefined) return rejected(message);
    return await this.#reference[operation](subject, scope) as unknown as Outcome<Answers[O]>;
  }
}

function whyInvalid(subject: Subject) {
  const image = openSubject(subject);
  try {
    const { findings } = judgeImage(image);
    const broken = findings.find(({ level }) => level === "must");
    return broken?.message;
  } finally {
    image.close();
  }
}
