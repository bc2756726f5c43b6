/** The module of the thread that runs cases. */
import { workerData } from "node:worker_threads";
import { Profile, serve } from "../engine/mod.ts";

// What is counted has to be loaded after the counting has started.
const profile = await Profile.start(workerData);
const [{ peerTargets }, { targets }, { peersOf }] = await Promise.all([
  import("../peer/mod.ts"),
  import("../targets/mod.ts"),
  import("./peers.ts"),
]);

serve((settings) => [...targets, ...peerTargets(peersOf(settings))], profile);
