import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ModulePeer, type Outcome, PeerError, withScratch } from "../../src/peers/mod.ts";

const SUBJECT = { path: "disk", directory: "/images" };

/** Asks an adapter that is a module with this text. */
async function withModule(
  text: string,
  use: (peer: ModulePeer) => Promise<void>,
): Promise<void> {
  await withScratch(async (directory) => {
    const path = `${directory}/adapter.ts`;
    Deno.writeTextFileSync(path, text);
    const peer = new ModulePeer({ url: `file://${path}`, timeoutMs: 1000, atOnce: 1 });
    try {
      await use(peer);
    } finally {
      await peer.close();
    }
  });
}

const ADAPTER = `
export default {
  hello: () => ({ ok: { name: "module", version: "3", language: "TypeScript" } }),
  probe: () => ({ ok: { format: "raw" } }),
  info: async ({ image }: { image: string }) => ({ ok: { format: image, "virtual-size": 2n ** 62n } }),
  map: () => ({ rejected: "no" }),
  check: () => { throw new RangeError("out of range"); },
  digest: () => { for (;;); },
  "digest-range": ({ image }: { image: string }) => {
    const wrong: string[] = [];
    for (const forbidden of [
      () => Deno.writeTextFileSync(image, ""),
      () => new Deno.Command("true").outputSync(),
      () => Deno.env.get("HOME"),
    ]) {
      try {
        forbidden();
        wrong.push(forbidden.toString());
      } catch (error) {
        if (!(error instanceof Deno.errors.NotCapable)) wrong.push(\`\${error}\`);
      }
    }
    return { rejected: wrong.join() };
  },
};`;

Deno.test("a module is an adapter: its methods answer, throw and hang", () =>
  withModule(ADAPTER, async (peer) => {
    const { name, version, language } = await peer.describe();
    assertEquals([name, version, language], ["module", "3", "TypeScript"]);
    assertEquals(await peer.info(SUBJECT), {
      outcome: "accepted",
      value: { format: "/images/disk", "virtual-size": 2 ** 62 },
    });
    assertEquals(await peer.map(SUBJECT), { outcome: "rejected", message: "no" });
    const check: Outcome<unknown> = await peer.check(SUBJECT);
    assertEquals(check.outcome, "crashed");
    assertStringIncludes(JSON.stringify(check), "RangeError: out of range");
    assertEquals(await peer.digest(SUBJECT), {
      outcome: "timed-out",
      message: "No answer within 1000 ms",
    });
    assertEquals((await peer.unlock(SUBJECT)).outcome, "unsupported");
    assertEquals((await peer.probe(SUBJECT)).outcome, "accepted");
  }));

Deno.test("a module that is an adapter may read files, and nothing else", () =>
  withModule(ADAPTER, async (peer) => {
    const outcome = await peer.digest(SUBJECT, { range: { start: 0, length: 512 } });
    assertEquals(outcome, { outcome: "rejected", message: "" });
  }));

Deno.test("a module that does not load is an error, and not an answer", () =>
  withModule("export default {", async (peer) => {
    const error = await assertRejects(() => peer.describe(), PeerError);
    assertStringIncludes(error.message, "Cannot start the adapter: hello: crashed: ");
  }));
