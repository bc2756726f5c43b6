import { assert, assertEquals } from "@std/assert";
import { Corpus, INPUT_MAX } from "../../../../fuzz/engine/kept/corpus.ts";
import { coverOf } from "../../../../fuzz/engine/kept/cover.ts";

function withDirectory(work: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const jsonsOf = (corpus: Corpus, target: string) => [...corpus.inputs(target)].map((it) => it.json);

Deno.test("Corpus stores a case under the SHA-1 of its text, once, and reads it again", () => {
  withDirectory((directory) => {
    const corpus = new Corpus(directory);
    assert(corpus.add("toy", '{"a":1}'));
    assert(!corpus.add("toy", '{"a":1}'));
    assert(corpus.add("toy", "[]"));
    assertEquals(
      [...Deno.readDirSync(`${directory}/toy`)].map(({ name }) => name).sort(),
      // printf '[]' | sha1sum; printf '{"a":1}' | sha1sum
      ["97d170e1550eee4afc0af065b78cda302a97674c", "9f89c740ceb46d7418c924a78ac57941d5e96520"],
    );
    assertEquals(jsonsOf(new Corpus(directory), "toy"), [[], { a: 1 }]);
    assertEquals(jsonsOf(new Corpus(directory), "other"), []);
  });
});

Deno.test("Corpus gives a target whose name has other characters a folder of one name", () => {
  withDirectory((directory) => {
    const corpus = new Corpus(directory);
    corpus.add("peer-content of exec:../x", "1");
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), [
      "peer-content-of-exec-..-x",
    ]);
    assertEquals(jsonsOf(corpus, "peer-content of exec:../x"), [1]);
  });
});

Deno.test("Corpus skips and counts what is not an input", () => {
  withDirectory((directory) => {
    const folder = `${directory}/toy`;
    Deno.mkdirSync(`${folder}/folder`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/text`, "not JSON");
    Deno.writeTextFileSync(`${folder}/long`, `"${"x".repeat(INPUT_MAX)}"`);
    Deno.writeTextFileSync(`${folder}/deepest`, "[".repeat(256) + "]".repeat(256));
    Deno.writeTextFileSync(`${folder}/longest`, JSON.stringify("x".repeat(INPUT_MAX - 2)));
    Deno.writeTextFileSync(`${folder}/deep`, "[".repeat(257) + "]".repeat(257));
    Deno.writeTextFileSync(`${folder}/half.part`, "1");
    new Deno.Command("/bin/sh", { args: ["-c", `ln -s /dev/zero ${folder}/zero`] }).outputSync();
    const corpus = new Corpus(directory);
    assertEquals(jsonsOf(corpus, "toy").length, 2);
    assertEquals(Object.fromEntries(corpus.unread), {
      "not a file": 2,
      [`longer than ${INPUT_MAX} bytes`]: 1,
      "not JSON": 1,
      "nested too deeply": 1,
    });
  });
});

const item = (size: number, ...features: number[]) => ({ size, features });

Deno.test("coverOf() chooses few cases with all features, and of several the smallest", () => {
  const all = item(9, 1, 2, 3, 4);
  assertEquals(coverOf([item(1, 1, 2), item(1, 3), all]), [all]);
  const small = item(2, 1, 2);
  assertEquals(coverOf([item(3, 1, 2), small, item(1, 1)]), [small]);
  assertEquals(coverOf([item(1, 1, 2), item(1, 2, 3), item(5, 3)]).length, 2);
  assertEquals(coverOf([]), []);
});
