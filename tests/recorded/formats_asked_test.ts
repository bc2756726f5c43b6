import { assert, assertEquals } from "@std/assert";
import {
  type Answers,
  ForwardingPeer,
  type Outcome,
  type PeerDescription,
  type Subject,
  unsupported,
} from "../../src/peers/mod.ts";
import { verifyRecords } from "../../src/recorded/mod.ts";

const IMAGES = new URL("../../golden/images", import.meta.url).pathname;
const LUKS = "4c554b53babe";

/** An implementation of LUKS version 1 alone, which notes the first bytes of each image. */
class LuksOnly extends ForwardingPeer {
  readonly magics = new Set<string>();

  describe(): Promise<PeerDescription> {
    const operations = ["probe", "info", "map", "check", "digest", "unlock"] as const;
    return Promise.resolve({ name: "luks", version: "1", operations, formats: ["luks"] });
  }

  protected override ask<O extends keyof Answers>(
    _operation: O,
    { path, directory = ".", header }: Subject,
  ): Promise<Outcome<Answers[O]>> {
    using file = Deno.openSync(`${directory}/${header ?? path}`);
    const magic = new Uint8Array(LUKS.length / 2);
    file.readSync(magic);
    this.magics.add(magic.toHex());
    return Promise.resolve(unsupported("nothing"));
  }
}

Deno.test("an implementation of LUKS alone is asked about LUKS volumes alone", async () => {
  const peer = new LuksOnly();
  const skipped = new Set<string>();
  await verifyRecords(peer, {
    images: IMAGES,
    by: "format",
    onSkipped: (_, reason) => skipped.add(reason),
  });
  assertEquals([...peer.magics], [LUKS]);
  for (const format of ["raw", "qcow", "qcow2"]) {
    assert(skipped.has(`luks does not declare support for ${format}`), [...skipped].join());
  }
});
