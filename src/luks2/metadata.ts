import type { HeaderCopy } from "./decode.ts";
import type { Luks2Json } from "./json/description.ts";
import type { Reencryption } from "./reencryption/reencryption.ts";

/** The metadata of a valid copy of a header. */
export interface Metadata {
  readonly copy: HeaderCopy;
  readonly json: Luks2Json;
  /** The online reencryption in progress, if there is one. */
  readonly reencryption: Reencryption | undefined;
}
