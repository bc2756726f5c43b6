import { roundUp, SECTOR } from "../../bytes/mod.ts";
import { imageText, isUuid } from "../../format/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
import type { Luks1Header } from "../decode.ts";
import { judgeCipher } from "./cipher.ts";
import { isEnabled, judgeSlots } from "./slots.ts";
import { type AddFinding, inHeader, must } from "../findings.ts";
import { header as headerStruct, HEADER_BYTES } from "../structures.ts";
import { ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "../keyslots/iterations.ts";

/** How a header is opened, and what is known of the files. */
export interface Luks1Opening {
  /**
   * `alone`: header and payload are one file; `detached`: the payload is a file of its own; `inside`:
   * the header is in an image of another format, which says itself where the payload is.
   */
  readonly kind: "alone" | "detached" | "inside";
  /** Length in bytes of the file that starts with the header; absent where that is no file. */
  readonly headerBytes?: number;
  /** Length in bytes of the file with the payload; absent where that is no file. */
  readonly payloadBytes?: number;
  /** Iterations of PBKDF2 that are done at most; see {@link ITERATIONS_BUDGET}. */
  readonly iterationsMax?: number;
}

/**
 * Judges a header by all that an open looks at without a passphrase, in the order in which QEMU does
 * (check_header, parse_header). Findings of what needs a passphrase are left to the caller, but for
 * those that no passphrase can change.
 */
export function judgeLuks1(header: Luks1Header, add: AddFinding, opening: Luks1Opening): void {
  const { headerBytes = Infinity } = opening;
  must(headerBytes >= HEADER_BYTES, add, {
    rule: "luks.header.readable",
    place: { path: "/header", offset: headerBytes },
    message: () => `The file ends after ${headerBytes} of ${HEADER_BYTES} bytes of header`,
  });
  const judge = judgeOf(headerStruct, header, {
    context: { "with the header in the same file": opening.kind !== "detached" },
    place: inHeader,
    findings: { add },
  });
  if (!judge("luks.header.magic") || !judge("luks.header.version")) return;
  judge(
    "luks.header.cipher-nul",
    "luks.header.mode-nul",
    "luks.header.hash-nul",
    "luks.header.payload-after-header",
  );
  must(opening.kind !== "alone" || header.payload_offset !== 0, add, {
    rule: "luks.detached.standalone",
    place: inHeader("payload_offset"),
    message: () => "payload_offset is 0: the payload is in another file, which is not given",
  });
  judge("luks.header.mk-iterations");
  judgeSlots(header, add, {
    detached: opening.kind === "detached",
    materialBytes: opening.headerBytes,
  });
  judgeCipher(header, add);
  judgeKeys(header, add, opening);
  judgePayloadEnd(header, add, opening);
  judge("luks.payload.alignment");
  judgeUuid(header, add);
}

/** What no passphrase changes, and what opening with any may cost. */
function judgeKeys(header: Luks1Header, add: AddFinding, opening: Luks1Opening): void {
  must(header.slots.some(isEnabled), add, {
    rule: "luks.slot.any-enabled",
    place: { path: "/key_slots" },
    message: () => "No key slot is enabled: no passphrase opens the volume",
  });
  const { iterationsMax = ITERATIONS_BUDGET } = opening;
  const iterations = iterationsOf(header);
  must(iterations <= Math.min(iterationsMax, ITERATIONS_MAX), add, {
    rule: "luks.work.iterations-budget",
    place: { path: "/key_slots" },
    message: () =>
      `The enabled key slots take ${iterations} iterations, more than the budget of ${iterationsMax}`,
  });
}

function judgePayloadEnd(header: Luks1Header, add: AddFinding, opening: Luks1Opening): void {
  const { kind, payloadBytes } = opening;
  if (kind === "inside" || payloadBytes === undefined) return;
  const start = header.payload_offset * SECTOR;
  must(start <= roundUp(payloadBytes, SECTOR), add, {
    rule: "luks.payload.inside-file",
    place: inHeader("payload_offset"),
    message: () => `The payload starts at byte ${start}, and the file ends at ${payloadBytes}`,
  });
  must(payloadBytes % SECTOR === 0 || payloadBytes < start, add, {
    rule: "luks.size.512",
    place: { path: "/payload", offset: start },
    message: () =>
      `The payload is ${payloadBytes - start} bytes long, which is not a multiple of ${SECTOR}`,
  });
}

function judgeUuid({ uuid }: Luks1Header, add: AddFinding): void {
  must(uuid.includes(0) && isUuid(imageText(uuid)), add, {
    rule: "luks.header.uuid",
    place: inHeader("uuid"),
    message: () => `uuid is ${JSON.stringify(imageText(uuid))}, not the text of a UUID`,
  });
}
