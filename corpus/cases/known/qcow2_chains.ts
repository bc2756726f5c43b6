/** Known defects in following the backing file and the data file of qcow2. */

import { bytes } from "../edit.ts";
import { filled } from "../qcow2/models.ts";
import { filledCluster, known, type KnownImage, qcow2 } from "./parts.ts";

const SIZE = 65536;
/** A qcow2 image that names a file of the host. */
const pointer = qcow2({ clusters: [], backing: { name: "secret", format: "raw" } });
const JSON_NAME = 'json:{"driver":"file","filename":"data"}';
const secret = filled(SIZE);

/** Known defects in following names. */
export const qcow2ChainsKnown: readonly KnownImage[] = [
  known("qcow2-backing-raw-looks-like-qcow2", {
    shows: "the backing format is raw, and the content of the backing file is a qcow2 image",
    happened:
      "readers probed the content and opened what it names: a reconstruction of CVE-2010-2237, CVE-2010-2238",
    flags: ["probe", "host-file", "security"],
    base: qcow2({ clusters: [], backing: { name: "base", format: "raw" } }),
    files: { base: pointer, secret },
  }),
  known("qcow2-backing-format-probed", {
    shows: "the backing format is not recorded, and the content of the file is a qcow2 image",
    happened:
      "a guest wrote a header into its raw disk and read host files: a reconstruction of CVE-2008-2004",
    flags: ["probe", "host-file", "security"],
    base: qcow2({ clusters: [], backing: { name: "base" } }),
    files: { base: pointer, secret },
  }),
  known("raw-looks-like-qcow2", {
    shows: "the content of a raw disk is a qcow2 header that names another file",
    happened:
      "a host probed the format after the guest had written it: a reconstruction of CVE-2008-2004, CVE-2026-24708",
    flags: ["probe", "host-file", "security"],
    base: pointer,
    as: "raw",
  }),
  known("qcow2-backing-host-path", {
    shows: "the backing file is an absolute path of the host",
    happened:
      "a service converted an image of a user, with a file of the host in it: a reconstruction of CVE-2015-1850",
    flags: ["host-file", "security"],
    base: qcow2({ clusters: [], backing: { name: "/dev/null", format: "raw" } }),
  }),
  known("qcow2-data-file-host-path", {
    shows: "the data file is an absolute path of the host",
    happened: "inspectors checked the backing file only: a reconstruction of CVE-2024-32498",
    flags: ["host-file", "missed-reference", "security"],
    base: qcow2({ clusters: [], dataFile: { name: "data-file", raw: false } }),
    edits: [bytes("/extension[0]/data", "/dev/null")],
  }),
  known("qcow2-data-file-json", {
    shows: "the name of the data file is a json: description of another file",
    happened: "qemu-img info opened what the name describes: a reconstruction of CVE-2024-4467",
    flags: ["host-file", "security"],
    base: qcow2({ clusters: [], dataFile: { name: "x".repeat(JSON_NAME.length), raw: false } }),
    edits: [bytes("/extension[0]/data", JSON_NAME)],
    files: { data: filled(SIZE) },
  }),
  known("qcow2-backing-short", {
    shows: "the backing file is shorter than the disk",
    happened: "a hypervisor failed to read behind the end of the file, which reads as zeros",
    flags: ["false-rejection"],
    base: qcow2({ clusters: [], backing: { name: "base", format: "raw" } }),
    files: { base: filled(5000) },
  }),
  known("qcow2-backing-middle-shorter", {
    shows: "of three layers, the middle one is the shortest",
    happened:
      "a reader that goes on to the lowest layer behind the end of the middle one reads wrong data",
    flags: ["wrong-data"],
    base: qcow2({ clusters: [], backing: { name: "middle", format: "qcow2" } }),
    files: {
      middle: qcow2({ size: 8192n, clusters: [], backing: { name: "base", format: "raw" } }),
      base: filled(SIZE),
    },
  }),
  known("qcow2-zero-cluster-over-backing", {
    shows: "a cluster has the zero flag, and the qcow2 backing file has data there",
    happened: "a hypervisor and a reader in Go showed the data of the backing file",
    flags: ["wrong-data"],
    base: qcow2({
      clusters: [{ index: 0, kind: "zero" }],
      backing: { name: "base", format: "qcow2" },
    }),
    files: { base: qcow2({ clusters: [filledCluster(0), filledCluster(1)] }) },
  }),
];
