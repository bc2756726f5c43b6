/** The module of the thread that runs cases. */
import { serve } from "../engine/mod.ts";
import { peerTargets } from "../peer/mod.ts";
import { targets } from "../targets/mod.ts";
import { peersOf } from "./peers.ts";

serve((settings) => [...targets, ...peerTargets(peersOf(settings))]);
