/** The module of the thread that runs cases. */
import { serve } from "../engine/mod.ts";
import { targets } from "../targets/mod.ts";

serve(targets);
