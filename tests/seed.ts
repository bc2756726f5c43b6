/**
 * Loaded before every test file: properties draw the same cases in every run of the tests, so that
 * what passed once passes on any machine. Fresh cases are what `deno task fuzz` is for.
 */
import * as fc from "fast-check";

fc.configureGlobal({ seed: 20261121 });
