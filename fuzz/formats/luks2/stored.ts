import type { Json } from "../../../src/format/mod.ts";
import type { CopyName } from "../../../src/luks2/mod.ts";
import type { Edit } from "../../mutate/mod.ts";

/** An edit of header copies in the form of artifacts from before release 0.2. */
type StoredEdit =
  & { readonly copies: "both" | CopyName; readonly unsummed?: true }
  & (
    | { readonly op: "json"; readonly path: string; readonly value?: Json }
    | { readonly op: "json-copy"; readonly path: string; readonly from: string }
    | {
      readonly op: "json-text";
      readonly at: number;
      readonly remove: number;
      readonly insert: string;
      readonly times: number;
    }
    | { readonly op: "number"; readonly field: string; readonly value: bigint }
    | {
      readonly op: "letters";
      readonly field: string;
      readonly text: string;
      readonly fill: number;
    }
    | { readonly op: "bits"; readonly at: number; readonly bits: number }
  );

/** The stored edit, in either form. */
export function storedEdit(edit: Edit | StoredEdit): Edit {
  if (!("copies" in edit)) return edit;
  const root = edit.copies === "both" ? "/*" : `/${edit.copies}`;
  const change = changeOf(edit, root);
  return edit.unsummed === true ? change : { ...change, sealed: true };
}

function changeOf(edit: StoredEdit, root: string): Edit {
  const path = `${root}/json`;
  switch (edit.op) {
    case "json": {
      const { path: member, value } = edit;
      return { op: "json", path, member, ...(value === undefined ? {} : { value }) };
    }
    case "json-copy":
      return { op: "json-copy", path, member: edit.path, from: edit.from };
    case "json-text": {
      const { at: offset, remove, insert, times } = edit;
      return { op: "letters", path, offset, remove, insert, times };
    }
    case "number":
      return { op: "set", path: `${root}/${edit.field}`, value: edit.value };
    case "letters": {
      const { field, text, fill } = edit;
      return { op: "text", path: `${root}/${field}`, text, fill };
    }
    case "bits":
      return { op: "xor", path: root, offset: edit.at, bits: edit.bits };
  }
}
