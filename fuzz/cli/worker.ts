/** The module of a worker process: it watches over the thread that runs cases. */
import { supervise } from "../engine/mod.ts";
import { standardPipe } from "./process.ts";

await supervise(new URL("./thread.ts", import.meta.url), standardPipe());
Deno.exit(0);
