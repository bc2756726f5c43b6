/** The rooms of the formats have one shape. */

import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { formats } from "../../src/formats.ts";
import { ROOT, sourceFiles } from "./source_files.ts";

/** What every room has. */
const FILES = ["driver", "format", "layer", "mod", "model"];
/** What a room has where its format has structures. */
const FILES_OF_STRUCTURES = ["decode", "findings", "geometry", "rules", "structures"];
const FOLDERS_OF_STRUCTURES = ["anatomy", "build", "judge"];
/** Names that do not say what is inside. */
const VAGUE =
  /\/(faults?|helpers?|misc|nodes?|pieces?|report|shared|stored|tries|utils?|work)\.ts$/;

const rooms = sourceFiles("src").map(({ path }) => /^src\/(\w+)\/format\.ts$/.exec(path)?.[1])
  .filter((room) => room !== undefined && room !== "format");

Deno.test("every format of the list has a room, and every room is in the list", async () => {
  const found = await Promise.all(rooms.map(async (room) => {
    const { format } = await import(`../../src/${room}/format.ts`);
    return format.name as string;
  }));
  assertEquals(found.sort(), formats.map(({ name }) => name).sort());
});

Deno.test("the rooms of formats have the same files and folders", async () => {
  const missing: string[] = [];
  for (const room of rooms) {
    const { format } = await import(`../../src/${room}/format.ts`);
    const files = format.structures.length > 0 ? [...FILES, ...FILES_OF_STRUCTURES] : FILES;
    const folders = format.structures.length > 0 ? FOLDERS_OF_STRUCTURES : [];
    missing.push(
      ...[...files.map((file) => `src/${room}/${file}.ts`)].filter((path) => !isThere(path)),
      ...folders.map((folder) => `src/${room}/${folder}`).filter((path) => !isThere(path)),
    );
  }
  assertEquals(missing, []);
});

function isThere(path: string): boolean {
  return existsSync(`${ROOT}/${path}`);
}

Deno.test("no room but those of the formats and of the tools names a format in a condition", () => {
  const names = formats.filter(({ structures }) => structures.length > 0).map(({ name }) => name);
  const condition = new RegExp(`[=!]== "(?:${names.join("|")})"|case "(?:${names.join("|")})":`);
  const wrong = sourceFiles("src")
    .filter(({ path }) => !rooms.includes(path.split("/")[1]) && !path.startsWith("src/peers/"))
    .flatMap(({ path, text }) =>
      text.split("\n").filter((line) => condition.test(line)).map((line) => `${path}: ${line}`)
    );
  assertEquals(wrong, []);
});

Deno.test("names of files in the rooms of formats say what is inside", () => {
  const files = sourceFiles(...rooms.map((room) => `src/${room}`)).map(({ path }) => path);
  assert(files.length > 100);
  assertEquals(files.filter((path) => VAGUE.test(path)), []);
});
