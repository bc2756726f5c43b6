import { assert, assertThrows } from "@std/assert";
import { Failure } from "../../../fuzz/engine/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import {
  type ChainModel,
  changed,
  filesOf,
  type Kit,
  openWith,
} from "../../../fuzz/formats/mod.ts";
import {
  CrashLog,
  ReferenceFiles,
  runSequence,
  verify,
  verifyCrashed,
} from "../../../fuzz/stateful/mod.ts";
import { startIn, statefulCases } from "../../../fuzz/targets/mod.ts";
import { MemorySource, MemoryStore } from "../../../src/bytes/mod.ts";
import { plainQcow2 } from "../../../src/qcow2/build/mod.ts";
import type { ImageEditor } from "../../../src/format/mod.ts";

/** An editor with a mistake. All bugs of the sources: `deno task writer-bugs`. */
const MISTAKES: Readonly<Record<string, (editor: ImageEditor) => Partial<ImageEditor>>> = {
  "zeros are not written": () => ({ writeZeroes() {} }),
  "a write starts at the start of its sector": (editor) => ({
    write: (offset, bytes) => editor.write(offset - offset % 512, bytes),
  }),
  "a write of several sectors loses the last one": (editor) => ({
    write: (offset, bytes) =>
      editor.write(offset, bytes.length > 512 ? bytes.subarray(0, bytes.length - 512) : bytes),
  }),
};

const RUNS = 200;
const raw = changed.find(({ format }) => format.name === "raw");

for (const [mistake, plant] of Object.entries(MISTAKES)) {
  Deno.test(`sequences on raw images find the planted mistake '${mistake}'`, async () => {
    assert(raw !== undefined);
    const cases = statefulCases(raw);
    const wrap = (editor: ImageEditor): ImageEditor =>
      new Proxy(editor, {
        get: (target, name) => {
          const value = Reflect.get({ ...plant(editor) }, name) ??
            Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    let found: Failure | undefined;
    for (let index = 0; index < RUNS && found === undefined; index++) {
      const { value } = caseAt(cases, { seed: 1, target: mistake }, index);
      const { start, open } = startIn(raw, value.model);
      const writer = new ReferenceFiles({ options: {}, editor: wrap });
      const options = { writers: [writer], everyStep: false, open, allowed: { leaks: 0 } };
      try {
        await runSequence(start, value.steps, options);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        found = error;
      }
    }
    assert(found?.signature.startsWith("reference.content"), found?.signature);
  });
}

Deno.test("a crash that loses what was flushed is found", () => {
  assert(raw !== undefined);
  const { start, open } = startIn(raw, {
    format: "raw",
    size: 4096,
    pattern: { kind: "zero", seed: 0 },
  });
  const log = new CrashLog();
  const [file] = filesOf(raw, { format: "raw", size: 4096, pattern: { kind: "zero", seed: 0 } });
  assert(file !== undefined);
  const store = log.store(file);
  store.write(0, new Uint8Array(512).fill(1));
  const [crashed] = log.crashes({ prefixesMax: 1, others: 0, seed: 1 });
  const { disk } = start.state;
  const flushed = disk.write({ start: 0, end: 512 }, { kind: "fill", seed: 1 });
  let failure: unknown;
  try {
    verifyCrashed(open(crashed?.files ?? []), [{ ...start.state, disk: flushed }], { when: "now" });
  } catch (error) {
    failure = error;
  }
  assert(failure instanceof Failure && failure.signature === "crash.content");
  assert(openWith(raw, [{ name: file.name, source: new MemoryStore(store) }]).layer !== undefined);
});

Deno.test("zeros in the tables that a raw data file does not contain are found", () => {
  const qcow2 = changed.find(({ format }) => format.name === "qcow2") as Kit<ChainModel>;
  const { start, open } = startIn(qcow2, [{
    ...plainQcow2,
    size: 131072n,
    dataFile: { name: "d", raw: true },
    clusters: [{ index: 1, kind: "zero" }],
  }]);
  const range = { start: 0, end: start.state.disk.size };
  const state = { ...start.state, disk: start.state.disk.zero(range) };
  verify(open(start.files), state, "reference", { leaks: 0 });
  const stored = new MemorySource(new Uint8Array(range.end).fill(1));
  const files = start.files.map((file) => file.name === "d" ? { ...file, source: stored } : file);
  const failure = assertThrows(
    () => verify(open(files), state, "reference", { leaks: 0 }),
    Failure,
  );
  assert(failure.signature === "reference.raw-data-file", failure.signature);
});
