import type { Skeleton } from "./skeleton.ts";

const ADAPTER = String.raw`#!/usr/bin/env python3
"""An adapter for diskproof: a request per line on standard input, an answer per line on standard
output. docs/adapter.md of diskproof describes the protocol."""

import hashlib
import json
import sys
import traceback


class Rejected(Exception):
    """The image is invalid."""


class Unsupported(Exception):
    """The implementation does not support what the image needs."""


def hello(request):
    return {
        "protocol": 1,
        "name": "my implementation",
        "version": "0.1",
        "language": "Python",
        # List here what the implementation reads: raw, qcow, qcow2, luks, luks2.
        "formats": ["qcow2"],
        # List here what this adapter answers: probe, info, map, check, digest, unlock.
        "operations": ["info", "digest"],
        # "features": ["qcow2.v2", "qcow2.v3", "backing", "compressed"],
        # "takes": ["passphrases", "header"],
    }


# Open request["image"], a full path. Names in an image are relative to the folder of that image.


def info(request):
    # return {"format": "qcow2", "virtual-size": str(size)}
    raise Unsupported("info is not filled in")


def digest(request):
    # return digest_of(read, 0, size)
    raise Unsupported("digest is not filled in")


def digest_range(request):
    # Offsets and lengths are decimal strings.
    # return digest_of(read, int(request["offset"]), int(request["length"]))
    raise Unsupported("digest-range is not filled in")


def digest_of(read, offset, length):
    """The digest of a range. read(offset, length) returns bytes of the guest content."""
    sha256 = hashlib.sha256()
    for start in range(offset, offset + length, 1 << 20):
        sha256.update(read(start, min(1 << 20, offset + length - start)))
    return {"sha256": sha256.hexdigest(), "length": str(length)}


OPERATIONS = {
    "hello": hello,
    "info": info,
    "digest": digest,
    "digest-range": digest_range,
}


def answer(request):
    operation = OPERATIONS.get(request["operation"])
    if operation is None:
        return {"unsupported": request["operation"]}
    try:
        return {"ok": operation(request)}
    except Rejected as error:
        return {"rejected": str(error)}
    except Unsupported as error:
        return {"unsupported": str(error)}
    except Exception:
        # Anything else is a bug of the implementation.
        return {"crashed": traceback.format_exc()}


# Keep standard output for answers: print messages to sys.stderr.
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"id": request["id"], **answer(request)}), flush=True)
`;

/** Python 3, without packages. */
export const python: Skeleton = {
  files: { "adapter.py": ADAPTER },
  build: [],
  command: "python3 DIR/adapter.py",
};
