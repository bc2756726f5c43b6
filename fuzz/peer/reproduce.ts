import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { visible } from "../../src/format/mod.ts";
import { type AdapterRequest, HELLO, requestFor } from "../../src/peers/mod.ts";
import { shellWord } from "../../src/report/mod.ts";
import type { DossierFile } from "../engine/mod.ts";
import type { QuestionFacts } from "./facts.ts";

/** What a script needs to show a failure. */
export interface Reproduction {
  /** The title of the finding. */
  readonly title: string;
  /** The implementation, as it was named: `jsonl:./adapter`. */
  readonly peer: string;
  readonly facts: QuestionFacts;
  /** The image first. */
  readonly files: readonly DossierFile[];
  readonly passphrases: readonly string[];
  /** Commands of qemu-img and qemu-io that make the image; its bytes are written if there are none. */
  readonly commands?: readonly string[] | undefined;
}

/** Characters of base64 in one line of a script. */
const LINE = 120;
/** The unit of offsets: extents of a file start at a multiple of it. */
const BLOCK = 4096;

/**
 * A shell script that writes the files of a case, asks the implementation and, if it is installed,
 * qemu-img, and prints the answers. It needs no diskproof.
 */
export function reproduceScript(reproduction: Reproduction): string {
  const { title, files, commands, facts: { expected, answered, question } } = reproduction;
  const made = commands === undefined
    ? ["unpack() { base64 -d | gzip -dc; }", "", ...files.flatMap(writeLines)]
    : [...files.map(({ name }) => `rm -f ${shellWord(name)}`), ...commands, ""];
  return [
    "#!/bin/sh",
    `# ${oneLine(title)}`,
    "# Writes the image to a temporary folder, asks the implementation and qemu-img about it, and",
    "# prints the answers. Give another folder as the first argument to keep the files.",
    "set -eu",
    'dir="${1:-$(mktemp -d)}"',
    'mkdir -p "$dir"',
    'cd "$dir"',
    "",
    ...made,
    'echo "The files are in $dir."',
    "",
    `echo ${shellWord(`question: ${oneLine(question)}`)}`,
    `echo ${shellWord(`expected: ${oneLine(expected)}`)}`,
    `echo ${shellWord(`answered when it was found: ${oneLine(answered)}`)}`,
    ...askLines(reproduction),
    ...qemuLines(reproduction),
    "",
  ].join("\n");
}

/** The commands that write one file. */
function writeLines({ name, size, extents, cut }: DossierFile): string[] {
  const word = shellWord(name);
  const written = extents.flatMap(({ offset, bytes }) => [
    `unpack << 'END' | dd of=${word} bs=${BLOCK} seek=${offset / BLOCK} conv=notrunc 2> /dev/null`,
    ...wrapped(Buffer.from(gzipSync(bytes, { level: 9 })).toString("base64")),
    "END",
  ]);
  const sum = cut
    ? "# The file had more content than is stored here."
    : `echo ${shellWord(`${sha256({ size, extents })}  ${name}`)} | sha256sum -c -`;
  return [`rm -f ${word}`, `truncate -s ${size} ${word}`, ...written, sum, ""];
}

function wrapped(text: string): string[] {
  return text.match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
}

const ZEROS = new Uint8Array(2 ** 20);

function sha256({ size, extents }: Pick<DossierFile, "size" | "extents">): string {
  const hash = createHash("sha256");
  let at = 0;
  const zeros = (to: number): void => {
    for (; at < to; at += Math.min(ZEROS.length, to - at)) {
      hash.update(ZEROS.subarray(0, Math.min(ZEROS.length, to - at)));
    }
  };
  for (const { offset, bytes } of extents) {
    zeros(offset);
    hash.update(bytes);
    at = offset + bytes.length;
  }
  zeros(size);
  return hash.digest("hex");
}

/** The operation of the adapter protocol, and what it is asked with besides the files. */
function requestOf(
  { operation, scope }: QuestionFacts,
): Pick<AdapterRequest, "operation" | "snapshot" | "offset" | "length"> {
  const { image: _, ...request } = requestFor(operation, { path: "" }, scope) ??
    { operation, image: "" };
  return request;
}

/** The files of a detached header: the header and the payload; else the image alone. */
function imageIn({ files }: Reproduction): { readonly image: string; readonly header?: string } {
  const [first, second] = files.map(({ name }) => name);
  const isDetached = second === "payload.raw";
  return isDetached ? { image: second, header: first ?? "" } : { image: first ?? "" };
}

/** An implementation that hangs ends with exit status 124. */
const LIMIT = "timeout 60";

/** Asks the implementation with its own command. */
function askLines(reproduction: Reproduction): string[] {
  const { peer, facts, passphrases } = reproduction;
  const [, kind = "", command = ""] = /^(\w+):(.*)$/s.exec(peer) ?? [];
  const { image, header } = imageIn(reproduction);
  const { operation, ...scope } = requestOf(facts);
  const says = `echo ${shellWord(`${facts.peer} ${facts.version} answers:`)}`;
  if (kind === "exec") {
    const words = [
      ...[operation, image, ...Object.values(scope)],
      ...(header === undefined ? [] : ["--header", header]),
      ...passphrases.flatMap((_, index) => ["--passphrase-file", `passphrase-${index}`]),
    ];
    return [
      "",
      ...passphrases.map((text, index) => `printf %s ${shellWord(text)} > passphrase-${index}`),
      says,
      `${LIMIT} ${command} ${words.map(shellWord).join(" ")} || echo "exit status $?"`,
    ];
  }
  if (kind !== "jsonl") return ["", `# The adapter is ${oneLine(peer)}: no command.`];
  const request = JSON.stringify({
    ...{ id: "2", operation, image: "@DIR@/" + image, ...scope },
    ...(header === undefined ? {} : { header: "@DIR@/" + header }),
    ...(passphrases.length === 0 ? {} : { passphrases }),
  });
  return [
    "",
    says,
    `{ echo ${shellWord(JSON.stringify({ id: "1", ...HELLO }))}`,
    `  printf '%s\\n' ${shellWord(request)} | sed "s|@DIR@|$PWD|g"`,
    `  sleep 5`,
    `} | ${LIMIT} ${command} || echo "exit status $?"`,
  ];
}

/** Asks qemu-img, if it is installed and needs no passphrase. */
function qemuLines(reproduction: Reproduction): string[] {
  const { facts: { operation, features }, facts } = reproduction;
  const { image, header } = imageIn(reproduction);
  const isEncrypted = features.some((it) => /^(encryption|luks)/.test(it));
  if (isEncrypted || header !== undefined || operation === "unlock") return [];
  const { snapshot, offset, length } = requestOf(facts);
  const word = shellWord(image);
  const part = offset === undefined ? "" : ` | tail -c +$((${offset} + 1)) | head -c ${length}`;
  const view = snapshot === undefined ? "" : ` -l ${shellWord(`snapshot.id=${snapshot}`)}`;
  const commands: Readonly<Record<string, string>> = {
    probe: `qemu-img info ${word} | grep '^file format'`,
    info: `qemu-img info --output=json ${word}`,
    map: `qemu-img map --output=json ${word}`,
    check: `qemu-img check --output=json ${word}`,
    digest:
      `qemu-img convert${view} -O raw ${word} content.raw && cat content.raw${part} | sha256sum`,
  };
  return [
    "",
    "if command -v qemu-img > /dev/null; then",
    `  echo "$(qemu-img --version | head -n 1) answers:"`,
    `  { ${commands[operation] ?? "true"}; } || echo "exit status $?"`,
    "fi",
  ];
}

function oneLine(text: string): string {
  return visible(text.replaceAll(/\s+/g, " "));
}
