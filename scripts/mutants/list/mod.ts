import type { Mutant, Placed, Room } from "../mutant.ts";
import { bytes } from "./bytes.ts";
import { codec } from "./codec.ts";
import { crypto } from "./crypto.ts";
import { image } from "./image.ts";
import { judge } from "./judge.ts";
import { luks1 } from "./luks1.ts";
import { luks2 } from "./luks2.ts";
import { qcow1 } from "./qcow1.ts";
import { qcow2 } from "./qcow2.ts";
import { writers } from "./writers.ts";

const LISTS: Readonly<Record<Room, readonly Mutant[]>> = {
  bytes,
  codec,
  crypto,
  qcow1,
  qcow2,
  luks1,
  luks2,
  image,
  judge,
  writers,
};

/** All mutants, room by room. */
export const mutants: readonly Placed[] = Object.entries(LISTS).flatMap(([room, list]) =>
  list.map((mutant) => ({ ...mutant, room: room as Room }))
);
