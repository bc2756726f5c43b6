import { assertEquals, assertMatch } from "@std/assert";
import { problemsOf } from "../../corpus/build/verify.ts";
import { readImage } from "../../src/recorded/mod.ts";

const IMAGES = new URL("../../corpus/images", import.meta.url).pathname;
/** Of one file, of two files, and with a detached header. */
const CASES = [
  "qcow2.l1.offset-breaks",
  "blk.backing.opens-keeps",
  "luks.detached.standalone-keeps",
];

for (const name of CASES) {
  Deno.test(`corpus verify has nothing to say about ${name}, and finds any change to it`, async () => {
    const { record, files } = readImage(IMAGES, name);
    assertEquals(await problemsOf({ record, files }), []);
    const damaged = () =>
      files().map((bytes) => bytes.map((byte, at) => at === 5 ? byte ^ 1 : byte));
    const [problem = ""] = await problemsOf({ record, files: damaged });
    assertMatch(problem, / has changed$/);
    const flags = ["no-such-flag"];
    const unknown = await problemsOf({ record: { ...record, flags }, files });
    assertEquals(unknown, ["the flag no-such-flag is not defined"]);
    const { format = "", features = [], answers = {} } = record.expected ?? {};
    const info = { verdict: "must-reject" } as const;
    const expected = { format, features, answers: { ...answers, info } };
    const [differs = ""] = await problemsOf({ record: { ...record, expected }, files });
    assertMatch(differs, /^the verdict differs from the record/);
  });
}
