import type { Divergence } from "../../compare/mod.ts";

/** Where qemu-img and the reference differ over qcow2 images. */
export const qcow2Divergences: readonly Divergence[] = [
  {
    name: "zstd-before-1.5.6",
    rule: "qcow2.comp.zstd",
    because:
      "libzstd before 1.5.6 accepts some malformed blocks that later ones reject, and decodes some of " +
      "them to other bytes (zstd's CHANGELOG, v1.5.6, names corner cases of the decoder; of 40,000 " +
      "damaged streams, 1.5.4 and 1.5.7 differ over 46). The answer of QEMU depends on the library " +
      "that it is linked with, that of the reference on the library of its own runtime.",
    explains: ({ question, edited, cluster, image }) =>
      question === "content" && edited && cluster?.startsWith("compressed.") === true &&
      image?.layer?.info()["format-specific"]?.data["compression-type"] === "zstd",
  },
  {
    name: "info-crash-without-luks-header",
    rule: "qcow2.crypt.luks-ext-present",
    because:
      "qemu-img 7.2.22 crashes with a null pointer in `info` if crypt_method is LUKS and the " +
      "encryption header pointer is missing; 10.0.13 and 11.1.3 reject the image (block/qcow2.c, " +
      "qcow2_do_open; tests/qemu-iotests/tests/qcow2-encryption).",
    explains: ({ tool, question, version, outcome, rules }) =>
      tool === "qemu-img" && question === "info" && outcome === "crashed" &&
      Number.parseInt(version) < 10 && rules.includes("qcow2.crypt.luks-ext-present"),
  },
];
