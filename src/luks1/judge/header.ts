import { roundUp, SECTOR } from "../../bytes/mod.ts";
import { imageText, isUuid } from "../../format/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
import type { Luks1Header } from "../decode.ts";
import { judgeCipher } from "./cipher.ts";
import { isEnabled, judgeSlots } from "./slots.ts";
import { type AddFinding, inHeader, must } from "../findings.ts";
import { header as headerStruct, HEADER_BYTES } from "../structures.ts";
import { ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "../keyslots/iterations.ts";

/** The way in which a header is opened, and the lengths of the files. */
export interface Luks1Opening {
  /**
   * `alone`: header and payload are in one file; `detached`: the payload is in a separate file;
   * `inside`: the header is in an image of another format, which determines where the payload is.
   */
  readonly kind: "alone" | "detached" | "inside";
  /** Length in bytes of the file that starts with the header; absent if it is not a file. */
  readonly headerBytes?: number;
  /** Length in bytes of the file with the payload; absent if it is not a file. */
  readonly payloadBytes?: number;
  /** The maximum number of PBKDF2 iterations; see {@link ITERATIONS_BUDGET}. */
  readonly iterationsMax?: number;
}

/**
 * Judges everything in a header that is checked without a passphrase, in QEMU's order (check_header,
 * parse_header), and failures that occur with every passphrase. The caller adds other findings that
 * require a passphrase.
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
    message: () => "payload_offset is 0, so the payload is in another file, which was not given",
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

/** Judges what does not depend on the passphrase, and the cost of opening. */
function judgeKeys(header: Luks1Header, add: AddFinding, opening: Luks1Opening): void {
  must(header.slots.some(isEnabled), add, {
    rule: "luks.slot.any-enabled",
    place: { path: "/key_slots" },
    message: () => "No key slot is enabled, so no passphrase opens the volume",
  });
  const { iterationsMax = ITERATIONS_BUDGET } = opening;
  const iterations = iterationsOf(header);
  must(iterations <= Math.min(iterationsMax, ITERATIONS_MAX), add, {
    rule: "luks.work.iterations-budget",
    place: { path: "/key_slots" },
    message: () =>
      `The enabled key slots require ${iterations} iterations, more than the budget of ${iterationsMax}`,
  });
}

function judgePayloadEnd(header: Luks1Header, add: AddFinding, opening: Luks1Opening): void {
  const { kind, payloadBytes } = opening;
  if (kind === "inside" || payloadBytes === undefined) return;
  const start = header.payload_offset * SECTOR;
  const end = roundUp(payloadBytes, SECTOR);
  const place = inHeader("payload_offset");
  const where = `The payload starts at byte ${start}`;
  if (kind === "detached") {
    must(start <= end, add, {
      rule: "luks.payload.inside-file",
      place,
      message: () => `${where}, after the end of the file at byte ${payloadBytes}`,
    });
  } else if (start >= end && start > 0) {
    add(
      start > end ? "luks.payload.header-alone" : "luks.payload.empty",
      place,
      () =>
        `${where}, and the file ends at byte ${payloadBytes}: it is a header without a payload, such ` +
        `as a header backup${start > end ? ", or a truncated volume" : ", or an empty volume"}`,
    );
  }
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
    message: () => `uuid is ${JSON.stringify(imageText(uuid))}, which is not a UUID`,
  });
}
