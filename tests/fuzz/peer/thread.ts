import { serve } from "../../../fuzz/engine/mod.ts";
import { peerTargets } from "../../../fuzz/peer/mod.ts";
import { underTest } from "./under_test.ts";

serve((settings) => peerTargets([underTest(settings)]));
