import { startsWith, utf8 } from "../bytes/mod.ts";
import type { Format } from "../format/mod.ts";
import { decode, type Field, type Struct } from "../layout/mod.ts";
import { type Foreign, foreignFormat } from "./definition.ts";
import { bochs, parallels, qed, vdi, vhdx, vmdk, vpc } from "./structures.ts";
import { isVmdkDescriptor } from "./vmdk_descriptor.ts";

/** The score of a format that is recognised by little. */
const WEAK = 2;

const CLOOP = utf8(
  "#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n",
);

/** Whether the first bytes have a structure's values: those of its numbers, and the given texts. */
function has(struct: Struct, texts: Readonly<Record<string, readonly string[]>> = {}) {
  return (head: Uint8Array): boolean => {
    const value = decode(struct, head) as Readonly<Record<string, number | Uint8Array>>;
    return struct.fields.every((field: Field) => {
      const stored = value[field.name];
      if (stored instanceof Uint8Array) {
        return texts[field.name]?.some((text) => startsWith(stored, utf8(text))) ?? true;
      }
      return Object.values(field.values ?? {}).some((known) => known === stored);
    });
  };
}

const list: readonly Foreign[] = [
  { name: "qed", title: "QED", struct: qed, probe: has(qed) },
  {
    name: "parallels",
    title: "Parallels",
    struct: parallels,
    probe: has(parallels, { magic: ["WithoutFreeSpace", "WithouFreSpacExt"] }),
  },
  { name: "vdi", title: "VDI", struct: vdi, probe: has(vdi) },
  { name: "vhdx", title: "VHDX", struct: vhdx, probe: has(vhdx, { signature: ["vhdxfile"] }) },
  // The footer of a fixed VHD is at its end, where QEMU's probing does not look.
  { name: "vpc", title: "VPC", struct: vpc, probe: has(vpc, { creator: ["conectix"] }) },
  {
    name: "vmdk",
    title: "VMDK",
    struct: vmdk,
    probe: (head) => has(vmdk)(head) || isVmdkDescriptor(head),
  },
  {
    name: "bochs",
    title: "Bochs",
    struct: bochs,
    probe: has(bochs, {
      magic: ["Bochs Virtual HD Image\0"],
      type: ["Redolog\0"],
      subtype: ["Growing\0"],
    }),
  },
  // Any file with a name that ends so.
  { name: "dmg", title: "DMG", score: WEAK, probe: (_, name = "") => /.\.dmg$/s.test(name) },
  { name: "cloop", title: "cloop", score: WEAK, probe: (head) => startsWith(head, CLOOP) },
];

/** The foreign formats, in QEMU's order: the first one wins where several have the same score. */
export const foreignFormats: readonly Format[] = Object.freeze(list.map(foreignFormat));
