/** Encrypted images written by hand, each about one thing. */
import type { EncryptionModel, LuksEncryption, Qcow2Model } from "../../src/qcow2/model.ts";
import {
  bitmap,
  data,
  extended,
  first,
  parts,
  plain,
  ramp,
  snapshot,
  text,
  v2,
  zero,
} from "./built_parts.ts";

/** A passphrase of more bytes than the key of the legacy encryption has. */
export const aes: EncryptionModel = { kind: "aes", passphrase: "pässwörd, and more" };

/** One key of 16 bytes. */
export const luks: LuksEncryption = {
  kind: "luks",
  spec: { cipher: "aes", keyBytes: 16, mode: "cbc", ivGenerator: "plain64", hash: "sha256" },
  seed: 7,
  uuid: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10",
  digestIterations: 3,
  keys: [{ slot: 0, passphrase: "secret", iterations: 5 }],
  erased: [],
  gap: 0,
  spare: 0,
};

/** Several keys, a key that was erased, and free space behind the key material. */
const used: LuksEncryption = {
  ...luks,
  spec: { cipher: "twofish", keyBytes: 32, mode: "xts", ivGenerator: "plain64", hash: "sha1" },
  keys: [
    { slot: 1, passphrase: "", iterations: 1 },
    { slot: 7, passphrase: "é", iterations: 2 },
  ],
  erased: [0, 6],
  gap: 3,
  spare: 700,
};

const everyKind: Qcow2Model = {
  ...plain,
  clusterBits: 12,
  size: 49_152n,
  clusters: [data(0), text(1), zero(2), zero(3, true), ramp(5), {
    index: 7,
    kind: "data",
    pattern: { kind: "zero", seed: 0 },
  }, data(11)],
};

const subclusters: Qcow2Model = {
  ...extended,
  clusters: [
    data(0),
    parts(1, { allocated: 0x0000ff0f, zero: 0x00ff0000, reserved: true }),
    parts(2, { reserved: true }),
    text(3),
  ],
};

/** The VM state of the second shows in the disk, which was empty when the snapshot was taken. */
const snapshots: Qcow2Model = {
  ...plain,
  size: 65_536n,
  clusters: first(4),
  snapshots: [
    snapshot("1", { shared: [0, 1, 2], clusters: [data(3, 99)] }),
    snapshot("2", {
      size: 0,
      vmState: [{ kind: "noise", seed: 5 }, { kind: "zero", seed: 0 }, { kind: "text", seed: 9 }],
    }),
  ],
};

const shuffled: Qcow2Model = {
  ...everyKind,
  bitmaps: [bitmap("bits")],
  placement: {
    ...plain.placement,
    seed: 12,
    holes: [3, 0, 1, 0, 7],
    leaks: 2,
    cutTail: true,
  },
};

const dataFile: Qcow2Model = {
  ...plain,
  clusters: first(5),
  size: 5632n,
  dataFile: { name: "data", raw: true },
};

const models: Readonly<Record<string, Qcow2Model>> = {
  "every kind of cluster": everyKind,
  "an image of version 2": { ...v2, clusters: [data(3), text(4)] },
  "a disk that ends inside a cluster": { ...everyKind, size: 45_700n },
  "subclusters": subclusters,
  "snapshots with VM state": snapshots,
  "another order": shuffled,
  "an external data file": dataFile,
  "a disk of no bytes": { ...plain, size: 0n },
  "refcounts of one bit": { ...plain, refcountOrder: 0, clusters: first(2) },
  "large clusters": { ...plain, clusterBits: 21, size: 5n << 20n, clusters: [data(2)] },
};

/** All of them, by what they are about, as `normaliseQcow2` leaves them. */
export const encryptedModels: Readonly<Record<string, Qcow2Model>> = Object.fromEntries(
  Object.entries(models).flatMap(([name, model]) => [
    [`${name}, with the legacy encryption`, { ...model, encryption: aes }],
    [`${name}, with LUKS`, { ...model, encryption: luks }],
    [`${name}, with LUKS and several keys`, { ...model, encryption: used }],
  ]),
);
