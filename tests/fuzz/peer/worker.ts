import { standardPipe } from "../../../fuzz/cli/process.ts";
import { supervise } from "../../../fuzz/engine/mod.ts";

await supervise(new URL("./thread.ts", import.meta.url), standardPipe());
Deno.exit(0);
