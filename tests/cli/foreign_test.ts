import { assertEquals, assertStringIncludes } from "@std/assert";
import { utf8 } from "../../src/bytes/mod.ts";
import { overlayBytes } from "../image/overlays.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

const SUPPORTED = "(supported: raw, qcow, qcow2, luks, luks2)";

Deno.test("verbs do not read an image of a foreign format, and say how to read the file itself", () =>
  withDirectory(async (directory) => {
    const bytes = new Uint8Array(4096);
    bytes.set(utf8("KDMV"));
    Deno.writeFileSync(`${directory}/x.vmdk`, bytes);
    for (const verb of ["info", "map", "check", "inspect", "digest"]) {
      const { status, stdout, stderr } = await diskproof(directory, [verb, "x.vmdk"]);
      assertEquals([status, stdout], [1, ""], verb);
      assertEquals(
        stderr,
        `diskproof: x.vmdk is a VMDK image, which diskproof does not read ${SUPPORTED}; ` +
          "use -f raw to read the file itself as raw\n",
      );
    }
    const judged = await diskproof(directory, ["judge", "x.vmdk"]);
    const line = JSON.parse(judged.stdout);
    assertEquals([judged.status, line.format, line.qemu.read], [0, "vmdk", "unknown"]);
    assertEquals((await diskproof(directory, ["digest", "-f", "raw", "x.vmdk"])).status, 0);
  }));

Deno.test("content above an unreadable backing file is not read, and the reason is reported", () =>
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/inside`);
    Deno.writeFileSync(`${directory}/inside/base`, utf8("conectix"));
    const reasons = {
      "base": "it is a VPC image, which diskproof does not read (blk.backing.foreign)",
      "/etc/hostname": "it is outside the root directory (--root) (blk.backing.not-followed)",
      "co:lon.raw": "QEMU knows no protocol 'co' (blk.backing.protocol-known)",
      "nbd://x/y": "the protocol 'nbd' is not followed (blk.backing.not-followed)",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const image = overlayBytes({ backing: { name } });
      Deno.writeFileSync(`${directory}/inside/overlay`, image);
      const { status, stderr } = await diskproof(directory, ["digest", "inside/overlay"]);
      assertEquals(status, 1, name);
      assertStringIncludes(stderr, `The backing file '${name}' is not opened: ${reason}`);
    }
  }));
