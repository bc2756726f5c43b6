import type { RuleId } from "../../src/rules/mod.ts";

/** Why no case of any target breaks a rule. Any other rule is broken by some cases. */
export const unreached: Readonly<Record<RuleId, string>> = {
  "blk.backing.relative-json": "it depends on how the caller names the overlay",
  "diskproof.work.budget": "a case is too small for this limit of diskproof",
  "qcow1.create.size-nonzero": "it is a rule of creating an image",
  "qcow1.write.partial-compressed": "it is a rule of writing; qcow1.comp.inflate is broken instead",
  "qcow1.write.sector-aligned":
    "it is a rule of writing; qcow1.l2e.sector-aligned is broken instead",
  "qcow2.check.rebuild-without-all": "it depends on the options of check",
  "luks.check.unsupported": "no target checks a volume by itself",
  "luks.detached.option-known": "it depends on the version of qemu-img",
  "luks.key.hash-supported": "it depends on how QEMU is built",
  "luks.open.secret-utf8": "it is a rule of the caller's passphrase",
  "luks2.work.values": "edits insert too few values into the JSON",
};
