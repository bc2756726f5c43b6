import {
  encryptionKind,
  type ImageRequest,
  mustHaveNoPassphrase,
  onlyPassphrase,
} from "../../format/mod.ts";
import type { Qcow1Creation } from "./create.ts";

/** The requested image. */
export function planQcow1(request: ImageRequest): Qcow1Creation {
  const { size, content, backing, compressed } = request;
  const method = encryptionKind(request.options, ["aes"]);
  if (method === undefined) mustHaveNoPassphrase(request);
  return {
    size,
    compressed,
    ...(content === undefined ? {} : { content }),
    ...(backing === undefined ? {} : { backing: backing.name }),
    ...(method === undefined ? {} : { passphrase: onlyPassphrase(request) }),
  };
}
