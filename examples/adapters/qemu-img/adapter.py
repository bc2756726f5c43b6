#!/usr/bin/env python3
"""qemu-img as an adapter for diskproof: jsonl:python3 adapter.py [QEMU-IMG]"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile

QEMU_IMG = sys.argv[1] if len(sys.argv) > 1 else "qemu-img"
DIGEST_MAX = 1 << 32


Rejected, Unsupported = type("Rejected", (Exception,), {}), type("Unsupported", (Exception,), {})


def qemu_img(verb, *args, answers=(0,)):
    done = subprocess.run([QEMU_IMG, verb, *args], capture_output=True, text=True, errors="replace")
    if done.returncode < 0:
        os.kill(os.getpid(), -done.returncode)  # a crash of qemu-img is a crash of its adapter
    if done.returncode not in answers:
        raise Rejected(done.stderr.strip())
    return done.stdout


def probe_of(request):
    format = request.get("format")
    known = ["-f", format] if format else []
    return json.loads(qemu_img("info", "--output=json", *known, request["image"]))


def image_of(request, folder, info):
    """The options that name the image, with its first passphrase in a file of its own."""
    passphrases = request.get("passphrases", [])
    if passphrases and ("backing-filename" in info or "offset" in request):
        raise Unsupported("an encrypted chain, or a range of an encrypted image")
    if not passphrases:
        return ["-f", info["format"], request["image"]], ["-f", info["format"]]
    path = os.path.join(folder, "passphrase")
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(passphrases[0])
    key = {"luks": "key-secret"}.get(info["format"], "encrypt.key-secret")
    image = request["image"].replace(",", ",,")
    options = f"driver={info['format']},{key}=key,file.driver=file,file.filename={image}"
    secret = ["--object", f"secret,id=key,file={path}"]
    return [*secret, "--image-opts", options], secret


def digest(request):
    info = probe_of(request)
    if "offset" not in request and info["virtual-size"] > DIGEST_MAX:
        raise Unsupported("the disk is too large to convert")
    with tempfile.TemporaryDirectory() as folder:
        raw = os.path.join(folder, "raw")
        image, known = image_of(request, folder, info)
        if "offset" in request:
            skip, count = int(request["offset"]) // 512, int(request["length"]) // 512
            qemu_img("dd", *known, "-O", "raw", "bs=512", f"skip={skip}", f"count={skip + count}",
                     f"if={request['image']}", f"of={raw}")
        else:
            snapshot = ["-l", request["snapshot"]] if "snapshot" in request else []
            qemu_img("convert", *snapshot, *image, "-O", "raw", raw)
        with open(raw, "rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return {"sha256": sha256, "length": str(file.seek(0, 2))}


def json_of(verb, answers=(0,)):
    def answer(request):
        with tempfile.TemporaryDirectory() as folder:
            image, _ = image_of(request, folder, probe_of(request))
            return json.loads(qemu_img(verb, "--output=json", *image, answers=answers))
    return answer


OPERATIONS = {
    "hello": lambda request: {
        "protocol": 1, "name": "qemu-img", "language": "C", "homepage": "https://www.qemu.org",
        "version": qemu_img("--version").split()[2], "formats": ["raw", "qcow", "qcow2", "luks"],
        "operations": ["probe", "info", "map", "check", "digest"], "takes": ["passphrases"]},
    "probe": lambda request: {"format": probe_of(request)["format"]},
    "info": lambda request: probe_of(request),
    "map": json_of("map"), "check": json_of("check", answers=(0, 2, 3)),
    "digest": digest, "digest-snapshot": digest, "digest-range": digest,
}

for line in sys.stdin:
    request = json.loads(line)
    reply = {"id": request["id"]}
    os.chdir(os.path.dirname(request.get("image", "")) or ".")  # qemu-img opens data files there
    try:
        operation = OPERATIONS.get(request["operation"])
        reply |= {"ok": operation(request)} if operation else {"unsupported": "no such operation"}
    except Rejected as error:
        reply["rejected"] = str(error)
    except Unsupported as error:
        reply["unsupported"] = str(error)
    print(json.dumps(reply), flush=True)
