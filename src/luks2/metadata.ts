import type { HeaderCopy } from "./decode.ts";
import type { Luks2Json } from "./json/description.ts";
import type { Reencryption } from "./reencryption/reencryption.ts";

/** What a sound copy of a header says. */
export interface Metadata {
  readonly copy: HeaderCopy;
  readonly json: Luks2Json;
  /** The online reencryption that is in progress, where there is one. */
  readonly reencryption: Reencryption | undefined;
}
