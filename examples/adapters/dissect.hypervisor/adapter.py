#!/usr/bin/env python3
"""dissect.hypervisor as an adapter for diskproof: jsonl:python3 adapter.py"""

import hashlib
import json
import sys
import traceback
import zlib
from importlib.metadata import version
from pathlib import Path

from dissect.hypervisor.disk import qcow2
from dissect.hypervisor.disk.qcow2 import HAS_ZSTD, QCow2
from dissect.hypervisor.exceptions import Error

PIECE = 1 << 20
DIGEST_MAX = 1 << 32
FEATURES = ["qcow2.v2", "qcow2.v3", "backing", "compressed", "extended-l2", "external-data-file",
            "snapshots", "bitmaps", *(["zstd"] if HAS_ZSTD else [])]
# What the library raises for an image that it does not accept. Everything else is a crash.
REJECTIONS = (Error, EOFError, OSError, ValueError, zlib.error,
              *([qcow2.zstd.ZstdError] if HAS_ZSTD else []))


class Unsupported(Exception):
    pass


def opened(request, **options):
    return QCow2(Path(request["image"]), **options)


def info(request):
    image = opened(request, allow_no_data_file=True, allow_no_backing_file=True)
    backing = image.auto_backing_file
    named = {"backing-filename": backing} if backing else {}
    return {"format": "qcow2", "virtual-size": str(image.size),
            "cluster-size": image.cluster_size, **named}


def digest_of(stream, offset, length):
    if length > DIGEST_MAX:
        raise Unsupported("the content is too long")
    sha256 = hashlib.sha256()
    stream.seek(offset)
    for start in range(0, length, PIECE):
        wanted = min(PIECE, length - start)
        data = stream.read(wanted)
        if len(data) != wanted:
            raise EOFError(f"{len(data)} bytes instead of {wanted} at {offset + start}")
        sha256.update(data)
    return {"sha256": sha256.hexdigest(), "length": str(length)}


def digest(request):
    image = opened(request)
    return digest_of(image.open(), 0, image.size)


def digest_range(request):
    return digest_of(opened(request).open(), int(request["offset"]), int(request["length"]))


def digest_snapshot(request):
    image = opened(request)
    named = [it for it in image.snapshots if request["snapshot"] in (it.id, it.name)]
    if not named:
        raise ValueError("there is no such snapshot")
    if named[0].extra.disk_size not in (0, image.size):
        raise Unsupported("the library reads a snapshot with the size of the image")
    return digest_of(named[0].open(), 0, image.size)


OPERATIONS = {
    "hello": lambda request: {
        "protocol": 1, "name": "dissect.hypervisor", "version": version("dissect.hypervisor"),
        "language": "Python", "homepage": "https://github.com/fox-it/dissect.hypervisor",
        "formats": ["qcow2"], "operations": ["info", "digest"], "features": FEATURES},
    "info": info, "digest": digest, "digest-range": digest_range,
    "digest-snapshot": digest_snapshot,
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
