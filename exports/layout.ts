/**
 * The language in which on-disk structures are described. One description decodes, encodes and
 * annotates a structure, and judges the constraints of its fields.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { annotate, decode, encode, struct, u32, u64 } from "@diskproof/diskproof/layout";
 *
 * const point = struct("example.point", { section: "1.2", size: 12 }, [
 *   u32("x", { doc: "Distance from the left.", unit: "bytes" }),
 *   u64("y", { doc: "Distance from the top.", unit: "bytes" }),
 * ]);
 * const bytes = encode(point, { x: 1, y: 2n });
 *
 * assertEquals(decode(point, bytes), { x: 1, y: 2n });
 * assertEquals(annotate(point, bytes, { offset: 0, path: "/point" }).map(({ offset }) => offset), [0, 4]);
 * ```
 *
 * @module
 */

export * from "../src/layout/mod.ts";
