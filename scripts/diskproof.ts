/**
 * The whole program: the verbs of the library, and those that need this repository.
 *
 * @module
 */

import { main, type VerbEntry } from "../src/cli/main.ts";

const FUZZING = "Fuzzing";
const REPOSITORY = "This repository";

/** The verbs beyond those of the library. */
export const verbs: readonly VerbEntry[] = [
  {
    name: "fuzz",
    summary: "fuzz the targets within a time budget and report failures",
    group: FUZZING,
    needs: ["write", "run", "env"],
    inProject: true,
    load: async () => (await import("../fuzz/cli/fuzz.ts")).fuzzVerb,
  },
  {
    name: "repro",
    summary: "run one stored case again",
    group: FUZZING,
    needs: ["write", "run", "env"],
    inProject: true,
    load: async () => (await import("../fuzz/cli/repro.ts")).reproVerb,
  },
  {
    name: "minimize",
    summary: "make a stored case smaller",
    group: FUZZING,
    needs: ["write", "run", "env"],
    inProject: true,
    load: async () => (await import("../fuzz/cli/minimize.ts")).minimizeVerb,
  },
  {
    name: "generate",
    summary: "write random images, valid or malformed, with a manifest",
    group: FUZZING,
    needs: ["write"],
    load: () => import("../fuzz/cli/generate.ts"),
  },
  {
    name: "mutate",
    summary: "edit images at random, also for another fuzzer over a pipe",
    group: FUZZING,
    needs: ["write"],
    load: () => import("../fuzz/cli/mutate.ts"),
  },
  {
    name: "dictionary",
    summary: "print a dictionary of the formats for another fuzzer",
    group: FUZZING,
    needs: ["write"],
    load: () => import("../fuzz/cli/dictionary.ts"),
  },
  {
    name: "golden",
    summary: "build the golden images with public tools, or verify them",
    group: REPOSITORY,
    needs: ["write", "run"],
    inProject: true,
    load: () => import("../golden/build/golden.ts"),
  },
  {
    name: "corpus",
    summary:
      "list, show, export, verify, add or record cases: images that break and keep each rule",
    group: REPOSITORY,
    needs: ["write", "run", "env"],
    load: () => import("../corpus/build/corpus.ts"),
  },
  {
    name: "matrix",
    summary: "record LUKS volumes of all combinations of ciphers, or verify them",
    group: REPOSITORY,
    needs: ["write", "run"],
    inProject: true,
    load: () => import("../corpus/build/matrix.ts"),
  },
  {
    name: "expectations",
    summary: "record what the format expects for each question about each recorded image",
    group: REPOSITORY,
    needs: ["write"],
    inProject: true,
    load: () => import("./expectations.ts"),
  },
  {
    name: "peers",
    summary: "install the implementations of examples/adapters, and validate them",
    group: REPOSITORY,
    needs: ["write", "run"],
    load: () => import("./peers.ts"),
  },
  {
    name: "bench",
    summary: "measure the parts of a fuzz run, or how many planted bugs one finds",
    group: REPOSITORY,
    needs: ["write", "run", "env"],
    inProject: true,
    load: () => import("./bench.ts"),
  },
  {
    name: "docs",
    summary: "write the pages that are generated from rules and structures",
    group: REPOSITORY,
    needs: ["write"],
    inProject: true,
    load: () => import("./docs.ts"),
  },
];

// A worker of the fuzzer that never returns cannot be stopped, so the process does not end by itself.
if (import.meta.main) Deno.exit(await main(Deno.args, verbs));
