#!/usr/bin/env python3
"""nbdkit's luks filter as an adapter for diskproof: jsonl:python3 adapter.py

Needs nbdkit, and nbdcopy and nbdinfo of libnbd.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile

PIECE = 1 << 20


class Rejected(Exception):
    pass


def serve(request, command):
    """Runs a command on the content of a volume; returns its process and what it needs till its end."""
    folder = tempfile.TemporaryDirectory()
    passphrase = os.path.join(folder.name, "passphrase")
    with open(passphrase, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(request["passphrases"][0])
    arguments = ["nbdkit", "-r", "-U", "-", "--exit-with-parent", "--filter=luks", "file",
                 f"file={request['image']}", f"passphrase=+{passphrase}", "--run", command]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return folder, process


def ended(process):
    errors = process.stderr.read().decode(errors="replace").strip()
    status = process.wait()
    if status < 0 or "killed by signal" in errors or "server disconnected" in errors:
        print(errors, file=sys.stderr, flush=True)
        os.abort()  # a crash of nbdkit is a crash of its adapter
    if status != 0:
        raise Rejected(errors)


def digest(request):
    folder, process = serve(request, 'nbdcopy "$uri" -')
    with folder:
        sha256, length = hashlib.sha256(), 0
        while data := process.stdout.read(PIECE):
            sha256.update(data)
            length += len(data)
        ended(process)
        return {"sha256": sha256.hexdigest(), "length": str(length)}


def unlock(request):
    folder, process = serve(request, 'nbdinfo --size "$uri"')
    with folder:
        process.stdout.read()
        ended(process)
        return {}


def version():
    text = subprocess.run(["nbdkit", "--version"], capture_output=True, text=True).stdout
    return text.split()[1]


OPERATIONS = {
    "hello": lambda request: {
        "protocol": 1, "name": "nbdkit-luks-filter", "version": version(), "language": "C",
        "homepage": "https://gitlab.com/nbdkit/nbdkit", "formats": ["luks"],
        "operations": ["digest", "unlock"], "takes": ["passphrases"],
        "features": ["luks", "luks.aes-cbc", "luks.aes-xts", "luks.iv.plain", "luks.iv.plain64",
                     "luks.hash.*"]},
    "digest": digest,
    "unlock": unlock,
}

for line in sys.stdin:
    request = json.loads(line)
    reply = {"id": request["id"]}
    try:
        operation = OPERATIONS.get(request["operation"])
        has_key = request["operation"] == "hello" or request.get("passphrases")
        if operation is None or not has_key:
            reply["unsupported"] = "only content with a passphrase"
        else:
            reply["ok"] = operation(request)
    except Rejected as error:
        reply["rejected"] = str(error)
    print(json.dumps(reply), flush=True)
