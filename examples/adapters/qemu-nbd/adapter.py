#!/usr/bin/env python3
"""qemu-nbd as an adapter that writes, for diskproof: jsonl:python3 adapter.py [QEMU-NBD]"""

import base64
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

QEMU_NBD = sys.argv[1] if len(sys.argv) > 1 else "qemu-nbd"
WRITE, DISCONNECT, FLUSH, TRIM, WRITE_ZEROES = 1, 2, 3, 4, 6
PIECE = 1 << 20

Rejected = type("Rejected", (Exception,), {})


def dies_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # a kill of the adapter kills the writer


class Export:
    """An image that qemu-nbd has open, and a connection to it."""

    def __init__(self, image, format):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "socket")
        command = [QEMU_NBD, "-t", "-k", path, "-f", format, "--discard=unmap",
                   os.path.basename(image)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        cwd=os.path.dirname(image), preexec_fn=dies_with_parent)
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if self.process.poll() is not None:
                    raise Rejected(self.process.stderr.read().decode().strip())
                time.sleep(0.002)
        try:
            if self.read(16) != b"NBDMAGICIHAVEOPT":
                raise RuntimeError("no NBD server")
        except ConnectionResetError:
            raise Rejected(self.process.stderr.read().decode().strip())
        self.read(2)
        self.socket.sendall(struct.pack(">I8sII", 3, b"IHAVEOPT", 1, 0))
        self.size, self.flags = struct.unpack(">QH", self.read(10))

    def read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                os.kill(os.getpid(), signal.SIGABRT)  # a crash of qemu-nbd is one of its adapter
            data += more
        return data

    def request(self, command, offset=0, length=0, data=b""):
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, command, 0, offset, length) + data)
        if command == DISCONNECT:
            return
        magic, error, _ = struct.unpack(">IIQ", self.read(16))
        if magic != 0x67446698:
            raise RuntimeError("no NBD reply")
        if error:
            raise Rejected(os.strerror(error))

    def close(self):
        self.request(DISCONNECT)
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


exports = {}


def export_of(request):
    image = request["image"]
    if image not in exports:
        exports[image] = Export(image, request["format"])
    return exports[image]


def in_pieces(request, command):
    offset, length = int(request["offset"]), int(request["length"])
    while length > 0:
        count = min(length, PIECE)
        export_of(request).request(command, offset, count)
        offset, length = offset + count, length - count


def write(request):
    data = base64.b64decode(request["data"])
    export_of(request).request(WRITE, int(request["offset"]), len(data), data)


def close(request):
    if request["image"] in exports:
        exports.pop(request["image"]).close()


OPERATIONS = {
    "write": write,
    "write-zeroes": lambda request: in_pieces(request, WRITE_ZEROES),
    "discard": lambda request: in_pieces(request, TRIM),
    "flush": lambda request: export_of(request).request(FLUSH),
    "close": close,
}


def answer(request):
    if request["operation"] == "hello":
        version = subprocess.run([QEMU_NBD, "--version"], capture_output=True, text=True).stdout
        return {"ok": {"protocol": 1, "name": "qemu-nbd", "version": version.split()[1],
                       "language": "C", "homepage": "https://www.qemu.org",
                       "formats": ["raw", "qcow", "qcow2"], "operations": list(OPERATIONS)}}
    if request["operation"] not in OPERATIONS or "passphrases" in request:
        return {"unsupported": request["operation"]}
    try:
        OPERATIONS[request["operation"]](request)
        return {"ok": {}}
    except Rejected as error:
        return {"rejected": str(error)}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"id": request["id"], **answer(request)}), flush=True)
for export in exports.values():
    export.close()
