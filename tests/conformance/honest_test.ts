/** Two honest implementations come out clean. */

import { assertEquals } from "@std/assert";
import type { Peer } from "../../src/peers/mod.ts";
import {
  archivesIn,
  joinReports,
  readArchive,
  verifyArchive,
  verifyRecords,
  type VerifyReport,
} from "../../src/recorded/mod.ts";
import { LazyPeer, StrictPeer } from "./honest_peers.ts";

const SETS = ["golden/images", "corpus/images"];
const ARCHIVES = ["corpus/matrix", "corpus/matrix-cryptsetup"];

/** Opening a volume of the matrix with a passphrase costs milliseconds: every so many of them. */
const EVERY = 16;

async function over(peer: Peer, every = 1): Promise<VerifyReport> {
  const reports = [];
  for (const images of SETS) reports.push(await verifyRecords(peer, { images, by: "format" }));
  for (const archive of ARCHIVES.flatMap(archivesIn)) {
    const names = readArchive(archive).map(({ record }) => record.name)
      .filter((_, index) => index % every === 0);
    reports.push(await verifyArchive(peer, { archive, names, by: "format" }));
  }
  return joinReports(reports);
}

function told({ failures }: VerifyReport): string[] {
  return failures.map(({ image, question, kind, differences }) =>
    `${image}: ${question}: ${kind}: ${JSON.stringify(differences[0])}`
  );
}

Deno.test("a reader that ignores refcounts, snapshots and bitmaps has no failure", async () => {
  const report = await over(new LazyPeer());
  assertEquals(told(report), []);
});

Deno.test("a reader that rejects whatever breaks a must has no failure", async () => {
  const report = await over(new StrictPeer(), EVERY);
  assertEquals(told(report), []);
});
