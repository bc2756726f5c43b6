import { serve } from "../../../fuzz/engine/mod.ts";
import { toys } from "./toys.ts";

serve(toys);
