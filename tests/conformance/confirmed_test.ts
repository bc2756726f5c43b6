/** A wrong answer is confirmed by a fresh adapter, until it is clear that they all come again. */

import { assert, assertEquals } from "@std/assert";
import {
  type Answers,
  ForwardingPeer,
  type Outcome,
  type PeerDescription,
  ReferencePeer,
  rejected,
  type Subject,
} from "../../src/peers/mod.ts";
import { recordNames, verifyRecords } from "../../src/recorded/mod.ts";

const IMAGES = "golden/images";
const NAMES = recordNames(IMAGES).filter((name) => name.startsWith("qcow2-v3-")).slice(0, 40);

/** Rejects every image, or only where the question is not asked again. */
class RejectingPeer extends ForwardingPeer {
  readonly #reference = new ReferencePeer();
  readonly #isForgetful: boolean;
  again = 0;

  constructor(isForgetful: boolean) {
    super();
    this.#isForgetful = isForgetful;
  }

  async describe(): Promise<PeerDescription> {
    const operations = ["info", "map", "check"] as const;
    return { ...await this.#reference.describe(), name: "rejecting", operations };
  }

  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
  ): Promise<Outcome<Answers[O]>> {
    const isAgain = subject.again !== undefined;
    if (isAgain) this.again++;
    if (!isAgain || !this.#isForgetful) return rejected("no");
    return await this.#reference[operation](subject) as unknown as Outcome<Answers[O]>;
  }
}

Deno.test("after 64 wrong answers that all came again, no question is repeated", async () => {
  const peer = new RejectingPeer(false);
  const { failures } = await verifyRecords(peer, { images: IMAGES, names: NAMES, by: "format" });
  assert(failures.length > 100, `${failures.length}`);
  // Those in flight when the last one came are asked again as well.
  assert(peer.again >= 64 && peer.again < 70, `${peer.again}`);
});

Deno.test("an adapter whose wrong answers do not come again is always asked again", async () => {
  const peer = new RejectingPeer(true);
  const { failures } = await verifyRecords(peer, { images: IMAGES, names: NAMES, by: "format" });
  assertEquals(failures, []);
  assert(peer.again > 100, `${peer.again}`);
});
