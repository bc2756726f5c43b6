/** The rules without a case, and the images of cases that are not in `corpus/images`, with the reasons. */

/** Why a rule has no case: no file alone can break it. */
export const rulesWithoutCase: Readonly<Record<string, string>> = {
  "blk.backing.relative-json": "it depends on how the caller names the overlay",
  "diskproof.work.budget": "it is a budget of diskproof",
  "qcow1.check.unsupported": "every image of the format breaks it",
  "qcow1.create.size-nonzero": "it is a rule of creating an image",
  "qcow1.write.partial-compressed": "it is a rule of writing; qcow1.comp.inflate has the image",
  "qcow1.write.sector-aligned": "it is a rule of writing; qcow1.l2e.sector-aligned has the image",
  "qcow2.check.rebuild-without-all": "it depends on the options of check",
  "luks.check.unsupported": "every volume breaks it",
  "luks.detached.option-known": "it depends on the version of qemu-img",
  "luks.key.hash-supported": "it depends on how QEMU is built",
  "luks.open.secret-utf8": "it is a rule of the caller's passphrase",
};

const LARGE = "the file is 1 TiB long, and nearly all of it a hole";
const LONG = "qemu-img prints tens of thousands of snapshots";
const MEMORY = "qemu-img allocates 2 GiB to open it";
const CALLER = "the two images differ in an option of the caller";
const BUDGET = "the limit is one of diskproof";

/** Why a case has no images in the corpus, by its name. */
const CASES: Readonly<Record<string, string>> = {
  "qcow2.check.length": LARGE,
  "qcow2.check.snap-size": "the images are those of qcow2.snap.table-size-max",
  "luks.open.key-present": CALLER,
  "luks.work.iterations-budget": CALLER,
  "luks2.open.key-present": CALLER,
  "luks2.work.budget": CALLER,
  "luks2.work.budget-2": BUDGET,
  "luks2.work.budget-3": BUDGET,
  "luks2.work.key-size": BUDGET,
  "luks2.work.memory": BUDGET,
  "luks2.work.values": BUDGET,
};

/** Why an image of a case is not in the corpus, by its name. */
export const imagesNotRecorded: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(CASES).flatMap(([name, because]) =>
      ["breaks", "keeps"].map((does) => [`${name}-${does}`, because])
    ),
  ),
  "blk.backing.no-loop-2-breaks": "qemu behaves as with blk.backing.no-loop-breaks",
  "qcow1.l1.request-max-keeps": MEMORY,
  "qcow2.check.snap-count-keeps": LONG,
  "qcow2.snaptable.count-max-keeps": LONG,
  "luks2.keyslot.fields-2-keeps":
    "diskproof rejects keys longer than 4096 bytes, cryptsetup does not",
};
