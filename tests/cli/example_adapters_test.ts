/** The adapters of examples/adapters with stand-ins for their implementations. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "node:path";
import { isInstalled, skip } from "../installed.ts";
import { adapter } from "./adapter.ts";
import { withDirectory } from "./files.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const EXAMPLES = `${ROOT}examples/adapters`;
const SIZE = 1048576;

/** A program that is called instead of the real one. */
const QEMU_IMG = `#!/bin/sh
case $1 in --version) echo "qemu-img version 1.2.3"; exit;; esac
for last; do :; done
image=$last
for word; do if [ -f "$word" ]; then image=$word; fi; done
if [ ! -f "$image" ]; then echo "qemu-img: no such file" >&2; exit 1; fi
case $1 in
info) echo '{"format": "qcow2", "virtual-size": ${SIZE}}';;
map) echo '[{"start": 0, "length": ${SIZE}}]';;
check) echo '{"check-errors": 0}';;
convert) head -c ${SIZE} /dev/zero > "$last";;
esac
`;

const SEVEN_ZIP = `#!/bin/sh
for last; do :; done
case $1 in
"") echo "7-Zip (z) 1.23 : Copyright"; exit;;
esac
if [ ! -f "$last" ]; then echo "ERROR: no such file" >&2; exit 2; fi
case $1 in
l) printf 'Size = ${SIZE}\\nVersion = 3\\n';;
e) head -c ${SIZE} /dev/zero;;
esac
`;

const NBDKIT = `#!/bin/sh
if [ "$1" = --version ]; then echo "nbdkit 1.2.3"; exit; fi
for word; do
  case $word in
  file=*) if [ ! -f "\${word#file=}" ]; then echo "no such file" >&2; exit 1; fi;;
  passphrase=+*) grep -q "correct horse" "\${word#passphrase=+}" || exit 1;;
  esac
done
head -c 65536 /dev/zero
`;

const DISSECT = `
import io
HAS_ZSTD = False


class QCow2:
    def __init__(self, path, allow_no_data_file=False, allow_no_backing_file=False):
        path.open("rb").close()
        self.size, self.cluster_size, self.auto_backing_file = ${SIZE}, 65536, None
        self.snapshots = []

    def open(self):
        return io.BytesIO(bytes(self.size))
`;

const DISSECT_FVE = `import io
from types import SimpleNamespace


class LUKS:
    def __init__(self, file):
        self.fh = file
        segment = SimpleNamespace(offset=0, size="4096")
        self.metadata = SimpleNamespace(segments={0: segment})

    def unlock_with_passphrase(self, passphrase):
        pass

    def open(self):
        return io.BytesIO(bytes(4096))
`;

const GO_IMAGE = `package image

import "io"

type Type string
type Extent struct {
	Start, Length int64
	Zero          bool
}
type Image interface {
	io.ReaderAt
	io.Closer
	Extent(start, length int64) (Extent, error)
	Type() Type
	Size() int64
	Readable() error
}
`;

const GO_QCOW2 = `package qcow2

import (
	"errors"

	"github.com/lima-vm/go-qcow2reader/image"
)

const Type = image.Type("qcow2")

var (
	ErrUnsupportedEncryption  = errors.New("encryption")
	ErrUnsupportedCompression = errors.New("compression")
	ErrUnsupportedFeature     = errors.New("feature")
)
`;

const GO_READER = `package qcow2reader

import (
	"io"

	"github.com/lima-vm/go-qcow2reader/image"
)

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }
func (zeros) Close() error                          { return nil }
func (zeros) Type() image.Type                      { return "qcow2" }
func (zeros) Size() int64                           { return ${SIZE} }
func (zeros) Readable() error                       { return nil }
func (zeros) Extent(start, length int64) (image.Extent, error) {
	return image.Extent{Start: start, Length: length, Zero: true}, nil
}

func OpenWithType(io.ReaderAt, image.Type) (image.Image, error) { return zeros{}, nil }
`;

/** An adapter, the files of its stand-in, and what it calls itself then. */
interface Example {
  readonly folder: string;
  readonly needs: string;
  /** Files in the directory; those in `bin` are programs. */
  readonly files: Readonly<Record<string, string>>;
  readonly says: string;
  readonly build?: string;
}

/** The adapters of which doctor has no image that they must reject. */
const OF_LUKS = ["nbdkit-luks", "dissect.fve"];
const GO = "reader/go-qcow2reader";
const EXAMPLE_ADAPTERS: readonly Example[] = [
  {
    folder: "qemu-img",
    needs: "python3",
    files: { "bin/qemu-img": QEMU_IMG },
    says: "qemu-img 1.2.3 (C, ",
  },
  { folder: "7-zip", needs: "python3", files: { "bin/7zz": SEVEN_ZIP }, says: "7-Zip 1.23 (C++" },
  {
    folder: "nbdkit-luks",
    needs: "python3",
    files: { "bin/nbdkit": NBDKIT },
    says: "nbdkit-luks-filter 1.2.3",
  },
  {
    folder: "dissect.hypervisor",
    needs: "python3",
    files: {
      "dissect/hypervisor/disk/qcow2.py": DISSECT,
      "dissect/hypervisor/exceptions.py": "class Error(Exception):\n    pass\n",
      "dissect.hypervisor-1.2.3.dist-info/METADATA": "Name: dissect.hypervisor\nVersion: 1.2.3\n",
    },
    says: "dissect.hypervisor 1.2.3 (Python",
  },
  {
    folder: "dissect.fve",
    needs: "python3",
    files: {
      "dissect/fve/luks/__init__.py": DISSECT_FVE,
      "dissect.fve-1.2.3.dist-info/METADATA": "Name: dissect.fve\nVersion: 1.2.3\n",
    },
    says: "dissect.fve 1.2.3 (Python",
  },
  {
    folder: "go-qcow2reader",
    needs: "go",
    files: {
      [`${GO}/go.mod`]: "module github.com/lima-vm/go-qcow2reader\n\ngo 1.21\n",
      [`${GO}/qcow2reader.go`]: GO_READER,
      [`${GO}/image/image.go`]: GO_IMAGE,
      [`${GO}/image/qcow2/qcow2.go`]: GO_QCOW2,
    },
    says: "go-qcow2reader 0.6.0 (Go",
    build: "export GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off && " +
      `go mod edit -replace github.com/lima-vm/go-qcow2reader=./${GO} && go build -o adapter .`,
  },
];

for (const { folder, needs, files, says, build } of EXAMPLE_ADAPTERS) {
  Deno.test(`the adapter of ${folder} keeps the protocol`, () =>
    withDirectory(async (directory) => {
      if (!await isInstalled(needs)) return skip(`${needs} is not installed`);
      for (const { name } of Deno.readDirSync(`${EXAMPLES}/${folder}`)) {
        Deno.copyFileSync(`${EXAMPLES}/${folder}/${name}`, `${directory}/${name}`);
      }
      for (const [name, text] of Object.entries(files)) {
        const path = `${directory}/${name}`;
        Deno.mkdirSync(dirname(path), { recursive: true });
        Deno.writeTextFileSync(path, text, { mode: 0o755 });
      }
      if (build !== undefined) {
        const built = await new Deno.Command("/bin/sh", { args: ["-c", build], cwd: directory })
          .output();
        assert(built.success, new TextDecoder().decode(built.stderr));
      }
      const program = build === undefined ? "python3 adapter.py" : "./adapter";
      const paths = 'PATH="$PWD/bin:$PATH" PYTHONPATH="$PWD"';
      Deno.writeTextFileSync(`${directory}/run.sh`, `export ${paths}\nexec ${program}\n`);
      const { stdout, stderr } = await adapter(directory, "doctor", "jsonl:sh run.sh");
      assertEquals(stderr, "");
      assertStringIncludes(stdout, `The adapter says: ${says}`);
      const protocol = stdout.slice(stdout.indexOf("Protocol"), stdout.indexOf("Answers"));
      assertStringIncludes(protocol, "ok     it answers hello");
      assertEquals(protocol.includes("WRONG"), false, protocol);
      assertEquals(stdout.includes("malformed"), false, stdout);
      assertEquals(stdout.includes("crash"), false, stdout);
      // Its answers count: the stand-in accepts each image.
      assertStringIncludes(stdout, OF_LUKS.includes(folder) ? "wrong-content" : "accepts-invalid");
    }));
}

Deno.test("no example is longer than 100 lines", () => {
  const files = ["qemu-img", "7-zip", ...OF_LUKS, "dissect.hypervisor"]
    .map((folder) => `${folder}/adapter.py`);
  for (
    const file of [...files, "go-qcow2reader/main.go", "imago/src/main.rs", "qcow2-rs/src/main.rs"]
  ) {
    const lines = Deno.readTextFileSync(`${EXAMPLES}/${file}`).split("\n").length - 1;
    assert(lines < 100, `${file}: ${lines}`);
  }
});
