import type { FormatDriver } from "../format/mod.ts";
import { RawLayer } from "./layer.ts";

/** Raw images: any bytes are one. */
export const rawDriver: FormatDriver = {
  probe: () => true,
  score: 1,
  open: (source) => new RawLayer(source),
  anatomy: ({ size }) => ({
    parts: [],
    claims: [{ path: "/data", offset: 0, length: size, kind: "data", says: "guest 0x0" }],
    gaps: [],
    complete: true,
  }),
};
