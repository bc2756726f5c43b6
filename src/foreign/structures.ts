import { bytes, struct, u32 } from "../layout/mod.ts";

/** The start of a QED image. */
export const qed = struct(
  "qed.header",
  { section: "QEMU block/qed.h, QEDHeader", size: 4, byteOrder: "little" },
  [u32("magic", { doc: "Identifies the format: 'QED' and NUL.", values: { qed: 0x00444551 } })],
);

/** The start of a Parallels image. */
export const parallels = struct(
  "parallels.header",
  { section: "QEMU block/parallels.h, ParallelsHeader", size: 20, byteOrder: "little" },
  [
    bytes("magic", 16, { doc: "Identifies the format, as text." }),
    u32("version", { doc: "Version of the format.", values: { v2: 2 } }),
  ],
);

/** The start of a VDI image. */
export const vdi = struct(
  "vdi.header",
  { section: "QEMU block/vdi.c, VdiHeader", size: 68, byteOrder: "little" },
  [
    bytes("text", 64, { doc: "Text for a person." }),
    u32("signature", { doc: "Identifies the format.", values: { vdi: 0xbeda107f } }),
  ],
);

/** The start of a VHDX image. */
export const vhdx = struct(
  "vhdx.file_identifier",
  { section: "QEMU block/vhdx.h, VHDXFileIdentifier", size: 8 },
  [bytes("signature", 8, { doc: "Identifies the format: 'vhdxfile'." })],
);

/** The start of a dynamic VPC image. */
export const vpc = struct(
  "vpc.footer",
  { section: "QEMU block/vpc.c, VHDFooter", size: 8 },
  [bytes("creator", 8, { doc: "Identifies the format: 'conectix'." })],
);

/** The start of a sparse VMDK extent. */
export const vmdk = struct("vmdk.header", { section: "QEMU block/vmdk.c, vmdk_probe", size: 4 }, [
  u32("magic", {
    doc: "Identifies the format: 'KDMV', or 'COWD' in version 3.",
    values: { v4: 0x4b444d56, v3: 0x434f5744 },
  }),
]);

/** The start of a Bochs image. */
export const bochs = struct(
  "bochs.header",
  { section: "QEMU block/bochs.c, bochs_header", size: 68, byteOrder: "little" },
  [
    bytes("magic", 32, { doc: "Identifies the format: 'Bochs Virtual HD Image' and NUL." }),
    bytes("type", 16, { doc: "'Redolog' and NUL." }),
    bytes("subtype", 16, { doc: "'Growing' and NUL." }),
    u32("version", { doc: "Version of the format.", values: { v1: 0x10000, v2: 0x20000 } }),
  ],
);
