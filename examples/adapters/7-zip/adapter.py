#!/usr/bin/env python3
"""7-Zip as an adapter for diskproof: jsonl:python3 adapter.py [7ZZ]"""

import hashlib
import json
import os
import re
import subprocess
import sys

SEVEN_ZIP = sys.argv[1] if len(sys.argv) > 1 else "7zz"
PIECE = 1 << 20
DIGEST_MAX = 1 << 32


class Rejected(Exception):
    pass


class Unsupported(Exception):
    pass


def ended(process, errors):
    """7-Zip ends with 0, 1 for a warning, or more for an error."""
    status = process.wait()
    if status < 0:
        os.kill(os.getpid(), -status)  # a crash of 7-Zip is a crash of its adapter
    if "Unsupported" in errors:
        raise Unsupported(errors.strip())
    if status != 0:
        raise Rejected(f"exit status {status}: {errors.strip()[-500:]}")


def is_qcow1(path):
    return open(path, "rb").read(8) == b"QFI\xfb\0\0\0\1"


def listed(request):
    if request.get("format", "qcow2") not in ("qcow", "qcow2"):
        raise Unsupported(request["format"])
    command = [SEVEN_ZIP, "l", "-slt", "-tQCOW", "--", request["image"]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.read().decode(errors="replace")
    members = dict(re.findall(r"^(\w[\w ]*) = (.*)$", text, re.MULTILINE))
    if "Size" not in members:
        ended(process, text)
        raise Rejected("no size is listed")
    process.wait()
    return members


def info(request):
    members = listed(request)
    format = "qcow" if members.get("Version") == "1" else "qcow2"
    return {"format": format, "virtual-size": members["Size"]}


def digest(request):
    if int(listed(request)["Size"]) > DIGEST_MAX:
        raise Unsupported("the content is too long")
    command = [SEVEN_ZIP, "e", "-so", "-bd", "-tQCOW", "--", request["image"]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    sha256, length = hashlib.sha256(), 0
    while data := process.stdout.read(PIECE):
        sha256.update(data)
        length += len(data)
    ended(process, process.stderr.read().decode(errors="replace"))
    return {"sha256": sha256.hexdigest(), "length": str(length)}


def version():
    text = subprocess.run([SEVEN_ZIP], capture_output=True, text=True).stdout
    return re.search(r"7-Zip.*? (\d+\.\d+)", text)[1]


OPERATIONS = {
    "hello": lambda request: {
        "protocol": 1, "name": "7-Zip", "version": version(), "language": "C++",
        "homepage": "https://www.7-zip.org", "formats": ["qcow", "qcow2"],
        "operations": ["info", "digest"],
        "features": ["qcow", "qcow2.v2", "qcow2.v3", "compressed", "snapshots", "bitmaps"]},
    "info": info,
    "digest": digest,
}

for line in sys.stdin:
    request = json.loads(line)
    reply = {"id": request["id"]}
    try:
        operation = OPERATIONS.get(request["operation"])
        reply |= {"ok": operation(request)} if operation else {"unsupported": "no such operation"}
    except Rejected as error:
        reply["rejected"] = str(error)
    except Unsupported as error:
        reply["unsupported"] = str(error)
        if is_qcow1(request["image"]):  # it reads compressed clusters of qcow2 alone
            reply["feature"] = "qcow.compressed"
    print(json.dumps(reply), flush=True)
