/** The module that the engine's workers run. */
import { serve } from "../engine/mod.ts";
import { targets } from "../targets/mod.ts";

serve(targets);
