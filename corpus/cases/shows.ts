import type { Json } from "../../src/format/mod.ts";
import type { Case } from "./case.ts";
import { type CaseEdit, describeCaseEdit } from "./edit.ts";

/** An edit as a statement about the image after it. */
interface Statement {
  readonly about: string;
  readonly is: string;
}

/** Letters of a value that are shown. */
const SHOWN_MAX = 60;
/** Numbers up to this one are shown as decimals. */
const DECIMAL_MAX = 999_999n;

/**
 * The difference between the images of a case: its sentence, or a description of the edits that
 * they do not share.
 */
export function showsOf({ shows, breaks, keeps }: Case): string {
  return shows ?? differenceOf(breaks, keeps);
}

/** The same about the image that keeps the rule. */
export function keptShowsOf(of: Case): string {
  const difference = of.shows === undefined ? differenceOf(of.keeps, of.breaks) : "";
  return difference === "" ? `Without this: ${showsOf(of)}` : difference;
}

/** The edits of one image that another one does not share. */
function differenceOf(breaks: readonly CaseEdit[], keeps: readonly CaseEdit[]): string {
  const good = keeps.map(statementOf);
  return breaks.filter((edit) => !keeps.includes(edit)).flatMap((edit) => {
    const statement = statementOf(edit);
    if (statement === undefined) return [describeCaseEdit(edit)];
    const { about, is } = statement;
    const other = good.find((it) => it?.about === about)?.is;
    if (other === is) return [];
    return [`${about} is ${is}${other === undefined ? "" : `, not ${other}`}`];
  }).join("; ");
}

function statementOf(edit: CaseEdit): Statement | undefined {
  switch (edit.op) {
    case "set":
      return { about: edit.path, is: numberText(edit.value) };
    case "text":
      return { about: edit.path, is: valueText(edit.text) };
    case "json":
      return { about: edit.member, is: valueText(edit.value) };
    case "flip":
      return { about: `bit ${edit.bit} of ${edit.path}`, is: "flipped" };
    case "point":
      return { about: edit.path, is: `the offset of ${placeText(edit.at, edit.delta)}` };
    case "end":
      return { about: edit.path, is: placeText("the end of the file", Number(edit.delta)) };
    case "cut": {
      const at = edit.from === "end" ? `the end of ${edit.at}` : edit.at;
      return { about: "the end of the file", is: placeText(at, edit.delta) };
    }
    default:
      return undefined;
  }
}

function numberText(value: bigint): string {
  return value > DECIMAL_MAX ? `0x${value.toString(16)}` : `${value}`;
}

function valueText(value: Json | undefined): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function placeText(at: string, delta: number): string {
  return delta === 0 ? at : `${at} ${delta < 0 ? "-" : "+"} ${Math.abs(delta)}`;
}
