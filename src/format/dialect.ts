/**
 * Drafts of a format that some images follow. `draft-2016`: the patch "qcow2: add support for LUKS
 * encryption format" of January 2016, whose LUKS header is in a header extension.
 */
export type Dialect = "draft-2016";
