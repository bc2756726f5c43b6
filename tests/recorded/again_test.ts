import { assertEquals } from "@std/assert";
import { JsonlPeer, TallyPeer } from "../../src/peers/mod.ts";
import { recordNames, verifyRecords } from "../../src/recorded/mod.ts";
import { shellAdapter } from "../peers/adapters.ts";

const IMAGES = new URL("../../golden/images", import.meta.url).pathname;
const HELLO = '{"name": "x", "version": "1", "operations": ["probe"], "formats": ["qcow2"]}';

/** Probes some images with an adapter in shell. */
async function probed(cases: string): Promise<{ failures: number; accepted: number }> {
  const adapter = new JsonlPeer({ command: shellAdapter(cases, HELLO), atOnce: 1 });
  const peer = new TallyPeer(adapter);
  const names = recordNames(IMAGES).filter((name) => name.startsWith("qcow2-snapshot"));
  try {
    const { failures } = await verifyRecords(peer, { images: IMAGES, names, by: "format" });
    return { failures: failures.length, accepted: peer.counts.get("probe")?.accepted ?? 0 };
  } finally {
    await adapter.close();
  }
}

Deno.test("a wrong answer that depends on earlier questions is not charged to an image", async () => {
  const right = await probed(`probe) ok '{"format": "qcow2"}';;`);
  assertEquals([right.failures, right.accepted > 1], [0, true]);
  const tired = `probe) n=x$n; if [ $n = x ]; then ok '{"format": "qcow2"}'; ` +
    `else ok '{"format": "raw"}'; fi;;`;
  assertEquals(await probed(tired), right);
  const wrong = await probed(`probe) ok '{"format": "raw"}';;`);
  assertEquals(wrong, { failures: right.accepted, accepted: right.accepted });
});
