import type { VerbEntry } from "./verb.ts";

const IMAGES = "Images";

/** The verbs that need only the library. */
export const verbs: readonly VerbEntry[] = [
  {
    name: "info",
    summary: "print what qemu-img info prints",
    group: IMAGES,
    needs: [],
    load: () => import("./info.ts"),
  },
  {
    name: "map",
    summary: "print where the content of an image is stored, as qemu-img map does",
    group: IMAGES,
    needs: ["run"],
    load: () => import("./map.ts"),
  },
  {
    name: "check",
    summary: "check an image as qemu-img check does, with the same exit status",
    group: IMAGES,
    needs: [],
    needsWith: { "--repair": ["write"], "-r": ["write"] },
    load: () => import("./check.ts"),
  },
  {
    name: "judge",
    summary: "print in JSON what the format and qemu-img say about images",
    group: IMAGES,
    needs: [],
    load: () => import("./judge.ts"),
  },
  {
    name: "admit",
    summary: "decide whether a service can accept an image from a stranger",
    group: IMAGES,
    needs: [],
    load: () => import("./admit.ts"),
  },
  {
    name: "inspect",
    summary: "print every structure and field of an image, and what is wrong with it",
    group: IMAGES,
    needs: [],
    needsWith: { "--write-repaired": ["write"] },
    load: () => import("./inspect.ts"),
  },
  {
    name: "digest",
    summary: "print the SHA-256 of the content that a guest sees",
    group: IMAGES,
    needs: [],
    load: () => import("./digest.ts"),
  },
  {
    name: "convert",
    summary: "write the content that a guest sees to a raw file",
    group: IMAGES,
    needs: ["write"],
    load: () => import("./convert.ts"),
  },
  {
    name: "create",
    summary: "create an image of any format, encrypted or not",
    group: IMAGES,
    needs: ["write"],
    load: () => import("./create.ts"),
  },
  {
    name: "snapshot",
    summary: "list, create, apply or delete internal snapshots",
    group: IMAGES,
    needs: ["write"],
    load: () => import("./snapshot.ts"),
  },
  {
    name: "bitmap",
    summary: "list, add, remove, enable, disable, clear or merge persistent bitmaps",
    group: IMAGES,
    needs: ["write"],
    load: () => import("./bitmap.ts"),
  },
  {
    name: "amend",
    summary: "change the version, the width of refcounts and other properties of an image",
    group: IMAGES,
    needs: ["write"],
    load: () => import("./amend.ts"),
  },
  {
    name: "key",
    summary: "test passphrases of LUKS; add, change or erase a key slot",
    group: IMAGES,
    needs: ["write"],
    load: () => import("./key.ts"),
  },
  {
    name: "validate",
    summary: "compare implementations with the golden images and the corpus",
    group: "Implementations",
    needs: ["write", "run", "env"],
    load: async () => (await import("./validate.ts")).validateVerb,
  },
  {
    name: "adapter",
    summary: "check an adapter, or write one to start from",
    group: "Implementations",
    needs: ["write", "run"],
    load: () => import("./adapter.ts"),
  },
];
