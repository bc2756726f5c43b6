import { assert, assertEquals } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { damageIn, openBytes } from "../../src/image/mod.ts";
import { readRecord, readRecordFiles, recordNames } from "../../src/recorded/mod.ts";

const IMAGES = new URL("../../golden/images", import.meta.url).pathname;

Deno.test("the damage of a truncated qcow image is the data past its new end", () => {
  let count = 0;
  for (const name of recordNames(IMAGES)) {
    const record = readRecord(IMAGES, name);
    const at = record.files.findIndex((file) => file.name === record.subject);
    const { size = Infinity } = record.files[at] ?? {};
    if (size > 2 ** 22 || !/^qcow-/.test(name)) continue;
    const bytes = readRecordFiles(IMAGES, record)[at];
    const image = bytes === undefined ? undefined : openBytes(new MemorySource(bytes));
    if (bytes === undefined || image?.layer === undefined || image.layer.encrypted) continue;
    assertEquals(damageIn(image), undefined, name);
    const hosts = [...image.layer.runs(0, image.layer.virtualSize)]
      .flatMap(({ host, length }) => host === undefined ? [] : [{ host, length }]);
    const [last, next] = hosts.toSorted((a, b) => b.host - a.host);
    if (last === undefined || last.host + last.length < bytes.length) continue;
    // Clusters may overlap where they are not aligned.
    if (next !== undefined && next.host + next.length > last.host) continue;
    const damage = damageIn(openBytes(new MemorySource(bytes.subarray(0, last.host)), "qcow"));
    assertEquals(damage?.causes.map(({ cause }) => cause), ["truncated"], name);
    assertEquals(damage?.affected, last.length, name);
    count++;
  }
  assert(count > 3, `${count}`);
});
