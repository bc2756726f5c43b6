import { imageText, isUuid } from "../../format/mod.ts";
import type { Luks1Header } from "../decode.ts";
import { roundUp, SECTOR, UNIT_SECTORS } from "../geometry.ts";
import { judgeCipher } from "./cipher.ts";
import { isEnabled, judgeSlots } from "./slots.ts";
import { type AddFinding, inHeader, must } from "../findings.ts";
import { HEADER_BYTES, LUKS_MAGIC } from "../structures.ts";
import { ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "../iterations.ts";

/** How a header is opened, and what is known of the files. */
export interface Luks1Opening {
  /**
   * `alone`: header and payload are one file; `detached`: the payload is a file of its own; `inside`:
   * the header lies in an image of another format, which says itself where the payload is.
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
  if (!judgeIdentity(header, add)) return;
  judgeTexts(header, add);
  judgePayloadOffset(header, add, opening);
  must(header.mk_digest_iter > 0, add, {
    rule: "luks.header.mk-iterations",
    place: inHeader("mk_digest_iter"),
    message: () => "mk_digest_iter is 0",
  });
  judgeSlots(header, add, {
    detached: opening.kind === "detached",
    materialBytes: opening.headerBytes,
  });
  judgeCipher(header, add);
  judgeKeys(header, add, opening);
  judgePayload(header, add, opening);
  judgeUuid(header, add);
}

function judgeIdentity(header: Luks1Header, add: AddFinding): boolean {
  return must(header.magic.every((byte, at) => byte === LUKS_MAGIC[at]), add, {
    rule: "luks.header.magic",
    place: inHeader("magic"),
    message: () => "The magic is not 'LUKS' with 0xba and 0xbe",
  }) && must(header.version === 1, add, {
    rule: "luks.header.version",
    place: inHeader("version"),
    message: () => `The version is ${header.version}, not 1`,
  });
}

function judgeTexts(header: Luks1Header, add: AddFinding): void {
  const rules = {
    cipher_name: "luks.header.cipher-nul",
    cipher_mode: "luks.header.mode-nul",
    hash_spec: "luks.header.hash-nul",
  } as const;
  for (const field of ["cipher_name", "cipher_mode", "hash_spec"] as const) {
    must(header[field].includes(0), add, {
      rule: rules[field],
      place: inHeader(field),
      message: () => `${field} has no NUL byte at its end`,
    });
  }
}

function judgePayloadOffset(header: Luks1Header, add: AddFinding, { kind }: Luks1Opening): void {
  const offset = header.payload_offset;
  const place = inHeader("payload_offset");
  must(kind === "detached" || offset >= UNIT_SECTORS, add, {
    rule: "luks.header.payload-after-header",
    place,
    message: () => `The payload starts at sector ${offset}, before sector ${UNIT_SECTORS}`,
  });
  must(kind !== "alone" || offset !== 0, add, {
    rule: "luks.detached.standalone",
    place,
    message: () => "payload_offset is 0: the payload is in another file, which is not given",
  });
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

function judgePayload(header: Luks1Header, add: AddFinding, opening: Luks1Opening): void {
  const place = inHeader("payload_offset");
  const { kind, payloadBytes } = opening;
  const start = header.payload_offset * SECTOR;
  if (kind !== "inside" && payloadBytes !== undefined) {
    must(start <= roundUp(payloadBytes, SECTOR), add, {
      rule: "luks.payload.inside-file",
      place,
      message: () => `The payload starts at byte ${start}, and the file ends at ${payloadBytes}`,
    });
    must(payloadBytes % SECTOR === 0 || payloadBytes < start, add, {
      rule: "luks.size.512",
      place: { path: "/payload", offset: start },
      message: () => `The payload is ${payloadBytes - start} bytes long, no multiple of ${SECTOR}`,
    });
  }
  must(header.payload_offset % UNIT_SECTORS === 0, add, {
    rule: "luks.payload.alignment",
    place,
    message: () => `The payload starts at byte ${start}, no multiple of 4096`,
  });
}

function judgeUuid({ uuid }: Luks1Header, add: AddFinding): void {
  must(uuid.includes(0) && isUuid(imageText(uuid)), add, {
    rule: "luks.header.uuid",
    place: inHeader("uuid"),
    message: () => `uuid is ${JSON.stringify(imageText(uuid))}, not the text of a UUID`,
  });
}
