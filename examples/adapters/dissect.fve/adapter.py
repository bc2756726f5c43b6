#!/usr/bin/env python3
"""dissect.fve as an adapter for diskproof: jsonl:python3 adapter.py"""

import hashlib
import json
import sys
import traceback
from importlib.metadata import version

from dissect.fve.luks import LUKS

PIECE = 1 << 20
DIGEST_MAX = 1 << 32
# What the library raises for a volume or a passphrase that it does not accept.
REJECTIONS = (EOFError, OSError, ValueError, KeyError)


class Unsupported(Exception):
    pass


def unlocked(request):
    if "header" not in request:
        payload = volume = open(request["image"], "rb")
    else:
        volume, payload = open(request["header"], "rb"), open(request["image"], "rb")
    luks = LUKS(volume)
    luks.unlock_with_passphrase(request["passphrases"][0])
    if payload is not volume:
        luks.fh = payload
    return luks


def digest(request):
    luks = unlocked(request)
    if len(luks.metadata.segments) != 1:
        raise Unsupported("the volume has several segments")
    stream = luks.open()
    luks.fh.seek(0, 2)
    segment = next(iter(luks.metadata.segments.values()))
    size = luks.fh.tell() - segment.offset if segment.size == "dynamic" else int(segment.size)
    if size > DIGEST_MAX:
        raise Unsupported("the content is too long")
    sha256, length = hashlib.sha256(), 0
    while length < size and (data := stream.read(min(PIECE, size - length))):
        sha256.update(data)
        length += len(data)
    return {"sha256": sha256.hexdigest(), "length": str(length)}


def unlock(request):
    unlocked(request)
    return {}


OPERATIONS = {
    "hello": lambda request: {
        "protocol": 1, "name": "dissect.fve", "version": version("dissect.fve"),
        "language": "Python", "homepage": "https://github.com/fox-it/dissect.fve",
        "formats": ["luks", "luks2"], "operations": ["digest", "unlock"],
        "takes": ["passphrases", "header"],
        "features": ["luks", "luks.*", "luks2", "luks2.*"]},
    "digest": digest,
    "unlock": unlock,
}


def answer(request):
    operation = OPERATIONS.get(request["operation"])
    try:
        return {"ok": operation(request)} if operation else {"unsupported": request["operation"]}
    except (Unsupported, NotImplementedError) as error:
        return {"unsupported": str(error)}
    except REJECTIONS as error:
        return {"rejected": f"{type(error).__name__}: {error}"}
    except Exception:
        return {"crashed": traceback.format_exc()}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"id": request["id"], **answer(request)}), flush=True)
