import { hex } from "../../src/bytes/mod.ts";
import type { Anatomy, Placed } from "../../src/format/mod.ts";
import type { Finding } from "../../src/rules/mod.ts";
import { anyIndex } from "../compare/mod.ts";
import { Failure } from "../engine/mod.ts";
import { merged } from "../generate/mod.ts";

/**
 * Compares what inspecting finds in an image with what it was built of. Structures that something is
 * wrong with may be missing, such as one of two copies of a header, or a leaked cluster. A format may
 * inspect its header alone.
 *
 * @throws {Failure} when a table or data is not found
 */
export function assertInspected(
  { claims, complete }: Anatomy,
  placed: readonly Placed[],
  findings: readonly Pick<Finding, "path" | "offset">[],
): void {
  const all = [...claims];
  if (!complete || all.every(({ kind }) => kind === "header")) return;
  const used = merged(
    all.map(({ offset, length }) => ({ start: offset, end: offset + length })),
    Infinity,
  );
  const broken = new Set(findings.map(({ path }) => rootOf(path)));
  const found = findings.map(({ offset }) => Number(offset ?? NaN));
  const missed = placed.find(({ path, offset, length, role }) =>
    length > 0 && role !== "header" && !broken.has(rootOf(path)) &&
    !found.some((at) => offset <= at && at < offset + length) &&
    !used.some(({ start, end }) => start <= offset && offset + length <= end)
  );
  if (missed === undefined) return;
  const { path, offset } = missed;
  throw new Failure(
    `open.inspect.${anyIndex(path)}`,
    `inspect does not find ${path} at ${hex(offset)}`,
    { about: { path, offset } },
  );
}

function rootOf(path: string): string {
  return path.split("/")[1] ?? "";
}
