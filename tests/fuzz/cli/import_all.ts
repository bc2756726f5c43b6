/** Imports what the fuzzer consists of, and runs nothing of it. */
import "../../../fuzz/cli/fuzz.ts";
import "../../../fuzz/cli/minimize.ts";
import "../../../fuzz/cli/repro.ts";
import "../../../fuzz/targets/mod.ts";
