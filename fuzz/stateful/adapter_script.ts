import { type Change, changeRequest, HELLO } from "../../src/peers/mod.ts";
import { shellWord } from "../../src/report/mod.ts";
import type { Start } from "./writer.ts";

/** An adapter, and its requests. */
export interface ScriptAdapter {
  /** The command that starts it. */
  readonly command: string;
  readonly changes: readonly Change[];
  /** How many requests are in flight. */
  readonly atOnce: number;
  /** It is killed after the last change, or so many milliseconds after that was sent. */
  readonly kill?: { readonly delay?: number } | undefined;
  /** Why the image may differ from its twin: a reason, or nothing. */
  readonly mayDiffer?: string | undefined;
}

/** Shell functions that send requests, at most so many before an answer. */
const SENDING = `send() { printf '%s\\n' "$1" | sed "s|@DIR@|$PWD|g" >&3; }
answer() {
  read -r line <&4 || { echo "The adapter does not answer."; exit 1; }
  printf '%s\\n' "$line"
}
requests() {
  open=0
  while IFS= read -r request; do
    if [ "$open" -lt "$1" ]; then open=$((open + 1)); else answer; fi
    send "$request"
  done
  while [ "$open" -gt 0 ]; do answer; open=$((open - 1)); done
}`;

/** Starts an adapter and sends it the changes: docs/adapter.md. */
export function adapterLines(
  { command, changes, atOnce, kill }: ScriptAdapter,
  { files: [top], format, passphrases }: Start,
): string[] {
  const image = { path: `@DIR@/${top?.name ?? ""}`, format, passphrases };
  const text = (change: Change, index: number) =>
    JSON.stringify({ id: `${index + 2}`, ...changeRequest(change, image) });
  const sent = changes.map(text);
  const last = kill?.delay === undefined ? [] : sent.splice(-1);
  const list = (window: number, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`requests ${window} <<'END'`, ...lines, "END"];
  const hello = JSON.stringify({ id: "1", ...HELLO });
  return [
    "mkfifo requests answers",
    `${command} < requests > answers &`,
    "exec 3> requests 4< answers",
    SENDING,
    ...(atOnce === 1 ? list(1, [hello, ...sent]) : [...list(1, [hello]), ...list(atOnce, sent)]),
    ...last.flatMap((line) => [`send ${shellWord(line)}`, `sleep ${(kill?.delay ?? 0) / 1000}`]),
    ...(kill === undefined
      ? [...list(1, [text({ operation: "flush" }, changes.length)]), "exec 3>&-", "wait"]
      : ["kill -9 $!"]),
  ];
}
