#!/usr/bin/env python3
"""qemu-nbd as an adapter that writes, for diskproof: jsonl:python3 adapter.py [QEMU-NBD [QEMU-IMG]]

NBD has no snapshots and no other sizes: qemu-img changes these while the image is closed.
"""

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
import threading
import time

QEMU_NBD = sys.argv[1] if len(sys.argv) > 1 else "qemu-nbd"
QEMU_IMG = sys.argv[2] if len(sys.argv) > 2 else "qemu-img"
DISCONNECT = 2
COMMANDS = {"read": 0, "write": 1, "flush": 3, "discard": 4, "write-zeroes": 6}
MANAGED = ["create", "resize", "snapshot-create", "snapshot-apply", "snapshot-delete"]
OPERATIONS = [*COMMANDS, "close", *MANAGED]
CONCURRENT = 16

Rejected = type("Rejected", (Exception,), {})
printing = threading.Lock()


def dies_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # a kill of the adapter kills the writer


def reply(request, answer):
    with printing:
        print(json.dumps({"id": request["id"], **answer}), flush=True)


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
            if self.read(18)[:16] != b"NBDMAGICIHAVEOPT":
                raise RuntimeError("no NBD server")
            self.socket.sendall(struct.pack(">I8sII", 3, b"IHAVEOPT", 1, 0))
            self.read(10)
        except OSError:  # it listens before it opens the image
            raise Rejected(self.process.stderr.read().decode().strip())
        self.requests = {}
        self.count = 0
        self.closing = False
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise ConnectionResetError()
            data += more
        return data

    def send(self, request):
        """Sends a request; its answer is printed when it comes."""
        command = COMMANDS[request["operation"]]
        data = base64.b64decode(request.get("data", ""))
        offset, length = int(request.get("offset", 0)), int(request.get("length", len(data)))
        self.count += 1
        self.requests[self.count] = request
        header = struct.pack(">IHHQQI", 0x25609513, 0, command, self.count, offset, length)
        self.socket.sendall(header + data)

    def listen(self):
        try:
            while True:
                magic, error, handle = struct.unpack(">IIQ", self.read(16))
                if magic != 0x67446698:
                    raise OSError("no NBD reply")
                request = self.requests.pop(handle)
                if error:
                    reply(request, {"rejected": os.strerror(error)})
                elif request["operation"] == "read":
                    data = self.read(int(request["length"]))
                    reply(request, {"ok": {"data": base64.b64encode(data).decode()}})
                else:
                    reply(request, {"ok": {}})
        except OSError:
            if not self.closing:
                os.kill(os.getpid(), signal.SIGABRT)  # a crash of qemu-nbd is one of its adapter

    def close(self):
        self.closing = True
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, DISCONNECT, 0, 0, 0))
        self.process.terminate()
        self.process.wait()
        self.listener.join()
        self.socket.close()
        self.folder.cleanup()


exports = {}


def qemu_img(request):
    """The arguments of qemu-img for an operation that NBD does not have."""
    operation, format = request["operation"], request["format"]
    image = "driver=" + format + ",file.filename=" + os.path.basename(request["image"])
    if operation == "create":
        return ["create", "-q", "-f", format, os.path.basename(request["image"]), request["size"]]
    if operation == "resize":
        return ["resize", "-q", "--shrink", "--image-opts", image, request["size"]]
    letter = {"create": "-c", "apply": "-a", "delete": "-d"}[operation.split("-")[1]]
    return ["snapshot", "-q", letter, request["snapshot"], "--image-opts", image]


def manage(request):
    command = [QEMU_IMG, *qemu_img(request)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=dies_with_parent,
                          cwd=os.path.dirname(request["image"]))
    return {"ok": {}} if done.returncode == 0 else {"rejected": done.stderr.strip()}


def answer(request):
    """The answer to a request; nothing if qemu-nbd has the request."""
    operation, image = request["operation"], request.get("image")
    if operation == "hello":
        version = subprocess.run([QEMU_NBD, "--version"], capture_output=True, text=True).stdout
        return {"ok": {"protocol": 1, "name": "qemu-nbd", "version": version.split()[1],
                       "language": "C", "homepage": "https://www.qemu.org",
                       "formats": ["raw", "qcow", "qcow2"], "concurrent": CONCURRENT,
                       "operations": OPERATIONS}}
    if operation not in OPERATIONS or "passphrases" in request:
        return {"unsupported": operation}
    if operation == "close" or operation in MANAGED:
        if image in exports:
            exports.pop(image).close()
        return manage(request) if operation in MANAGED else {"ok": {}}
    try:
        if image not in exports:
            exports[image] = Export(image, request["format"])
    except Rejected as error:
        return {"rejected": str(error)}
    exports[image].send(request)
    return None


for line in sys.stdin:
    request = json.loads(line)
    answered = answer(request)
    if answered is not None:
        reply(request, answered)
for export in exports.values():
    export.close()
