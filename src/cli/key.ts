import { MemorySource } from "../bytes/mod.ts";
import { whyNotInQemu } from "../format/mod.ts";
import { formatNamed } from "../formats.ts";
import { type FoundKeyArea, keyAreaOf, readKeyArea } from "../image/create/mod.ts";
import {
  addKey,
  changeKey,
  decodeLuks1,
  eraseKey,
  ITERATIONS_BUDGET,
  ITERATIONS_DEFAULT,
  keySteps,
  Luks1Error,
  slotStates,
  specOf,
  unlock,
  whyUnusable,
} from "../luks1/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { random } from "./random.ts";
import { slotOption, testKey } from "./key_slots.ts";
import { openFile } from "./images.ts";
import { didYouMean } from "./nearest.ts";
import { type Options, parseOptions, wholeNumber } from "./options.ts";
import { jsonLine, print } from "./output.ts";
import { givenPassphrases, PASSPHRASES, passphrasesOf } from "./passphrases.ts";
import { ImageError, UsageError } from "./verb.ts";
import { writeAt } from "./write_files.ts";

/** The text of `key --help`. */
export const help = `diskproof key test|add|change|erase FILE [options]

Tests passphrases of LUKS, and changes the key slots of LUKS version 1. FILE is a volume, a
detached header, a header backup, or a qcow2 image that is encrypted with LUKS. The content is
not read and does not change.

  test     print which slot a passphrase opens, as cryptsetup open --test-passphrase does
  add      add a passphrase, in the first free slot or in --slot
  change   replace a passphrase with another; with --slot, the one of that slot
  erase    erase --slot, or every slot that the passphrase opens

  --passphrase-file FILE
                       a current passphrase: every byte of the file, including a line end;
                       - is standard input (may be repeated; the first that opens a slot is used)
  --passphrase TEXT    a current passphrase as text; every user can see it in the process list
  --new-passphrase-file FILE
                       the new passphrase
  --new-passphrase TEXT
                       the new passphrase as text; every user can see it in the process list
  --slot N             the slot, 0 to 7 (test: 0 to 31); also --key-slot, as for cryptsetup;
                       erase --slot does not need a passphrase
  --iterations N       PBKDF2 iterations for the new passphrase (default ${ITERATIONS_DEFAULT})
  --max-iterations N   the limit on the work of trying passphrases, in PBKDF2 iterations
                       (default ${ITERATIONS_BUDGET})
  --force              add to a slot that is in use, change a key when no slot is free, or erase
                       the last key, which makes the content unreadable for ever
  --json               one JSON object: image, added and erased slots; for test image and slot
  --help               this text

A slot in use is overwritten only after a free slot has received the new key: whenever writing
stops, the old or the new passphrase opens the file. With --force and no free slot this does
not hold: a failure or a power loss while the slot is overwritten loses both keys.

Exit status: 0 success, 1 the file has no usable key slots, 2 the passphrase opens no key slot or
the change is not possible (the file is unchanged), or writing fails.

Examples

  diskproof key test header.backup --passphrase-file old
  diskproof key add disk.luks --passphrase-file old --new-passphrase-file new
  diskproof key erase disk.qcow2 --slot 0 --passphrase-file new
`;

/** `key`: changes the key slots of LUKS. */
export function run(args: string[]): Promise<number> {
  return Promise.resolve(key(args));
}

const ACTIONS = ["test", "add", "change", "erase"] as const;
type Action = Exclude<typeof ACTIONS[number], "test">;

const ITERATIONS_MAX = 2 ** 31 - 1;
const SLOT_MAX = 7;

function key(args: readonly string[]): number {
  const options = parseOptions(args, {
    flags: ["force", "json"],
    values: ["slot", "key-slot", "iterations", "max-iterations"],
    lists: [...PASSPHRASES.lists, ...PASSPHRASES.lists.map((name) => `new-${name}`)],
  });
  const [word = "", path, ...others] = options.positional;
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined) {
    throw new UsageError(
      `name an action: test, add, change or erase${didYouMean(word, ACTIONS)}`,
    );
  }
  if (path === undefined || others.length > 0) {
    throw new UsageError("name one file (see --help)");
  }
  if (action === "test") return testKey(path, options);
  const source = openFile(path);
  try {
    const area = keyAreaOf(source);
    if (typeof area === "string") throw new ImageError(`Cannot change keys of ${path}: ${area}`);
    const before = readKeyArea(source, area);
    const unusable = whyUnusable(specOf(decodeLuks1(new MemorySource(before))));
    if (unusable !== undefined) {
      throw new ImageError(`Cannot change keys of ${path}: ${unusable.replace(/^C/, "c")}`);
    }
    const states = changed(before, { action, path, area, request: requestOf(action, options) });
    write(path, keySteps(area, { before, states }));
    report(path, { before, after: states.at(-1) ?? before, json: options.flag("json") });
    return 0;
  } finally {
    source.close();
  }
}

/** The options of the action. */
interface Request {
  readonly passphrases: readonly Uint8Array[];
  readonly newPassphrase: Uint8Array | undefined;
  readonly slot: number | undefined;
  readonly iterations: number;
  readonly iterationsMax: number;
  readonly force: boolean;
}

function requestOf(action: Action, options: Options): Request {
  const [newPassphrase, ...others] = givenPassphrases(options, "new-");
  const passphrases = passphrasesOf(options);
  const slot = slotOption(options, SLOT_MAX);
  const range = { min: 1, max: ITERATIONS_MAX };
  const wantsNew = action !== "erase";
  if (others.length > 0 || wantsNew !== (newPassphrase !== undefined)) {
    const says = wantsNew ? "requires one new passphrase" : "does not accept a new passphrase";
    throw new UsageError(`${action} ${says} (--new-passphrase-file)`);
  }
  if (passphrases.length === 0 && (wantsNew || slot === undefined)) {
    const or = wantsNew ? "" : ", or a slot";
    throw new UsageError(`${action} requires a passphrase (--passphrase-file)${or}`);
  }
  return {
    passphrases,
    newPassphrase,
    slot,
    iterations: wholeNumber(options, "iterations", range) ?? ITERATIONS_DEFAULT,
    iterationsMax: wholeNumber(options, "max-iterations", range) ?? ITERATIONS_BUDGET,
    force: options.flag("force"),
  };
}

/** What to do, by the end of the message. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/budget of \d+$/, " (--max-iterations changes it)"],
  [/content would be lost$/, " (--force erases it all the same)"],
  [/key slot \d+ is in use$/, " (--force overwrites it)"],
  [/all key slots are in use$/, " (erase one first)"],
];

interface Change {
  readonly action: Action;
  readonly path: string;
  readonly area: FoundKeyArea;
  readonly request: Request;
}

/**
 * The states of the header on the way to the result.
 *
 * @throws {UsageError} when the change is not possible
 */
function changed(
  before: Uint8Array,
  { action, path, area, request }: Change,
): readonly Uint8Array[] {
  const { newPassphrase } = request;
  const onlyQemu = formatNamed(area.format)?.tools.includes("cryptsetup") === false;
  const reason = onlyQemu && newPassphrase !== undefined ? whyNotInQemu(newPassphrase) : undefined;
  if (reason !== undefined) throw new UsageError(reason);
  try {
    return act(before, action, request);
  } catch (error) {
    if (!(error instanceof Luks1Error)) throw error;
    const message = error.message.replace(/^(Cannot \w+ a key):/, `$1 of ${path}:`);
    const hint = HINTS.find(([ending]) => ending.test(message))?.[1] ?? "";
    throw new UsageError(`${message}${hint}`);
  }
}

function act(before: Uint8Array, action: Action, request: Request): readonly Uint8Array[] {
  const { slot, iterations, iterationsMax, force, newPassphrase } = request;
  const limits = { iterationsMax, random };
  const slotted = slot === undefined ? {} : { slot };
  if (newPassphrase === undefined) {
    const passphrase = openingOne(before, request, {});
    const which = { ...slotted, ...(passphrase === undefined ? {} : { passphrase }) };
    return [eraseKey(before, { ...limits, ...which, force }).header];
  }
  const changes = action === "change";
  // With --slot, the old passphrase must open that slot.
  const passphrase = openingOne(before, request, changes ? slotted : {}) ?? new Uint8Array(0);
  const options = { ...limits, ...slotted, passphrase, newPassphrase, iterations };
  if (!changes) return addKey(before, { ...options, force }).states;
  if (!force) mustHaveFreeSlot(before);
  return changeKey(before, options).states;
}

/** @throws {Luks1Error} if a change would overwrite the only slot with the old key */
function mustHaveFreeSlot(bytes: Uint8Array): void {
  const { slots } = decodeLuks1(new MemorySource(bytes));
  if (slots.some(({ active }) => active !== slotStates.enabled)) return;
  throw new Luks1Error(
    "Cannot change a key: no key slot is free, and a failure halfway would lose the old key and " +
      "the new one (erase another slot, or use --force)",
  );
}

/** The first passphrase that opens a slot. A single one for any slot is returned without a test. */
function openingOne(
  bytes: Uint8Array,
  { passphrases, iterationsMax }: Request,
  which: { readonly slot?: number },
): Uint8Array | undefined {
  const [only] = passphrases;
  if (passphrases.length <= 1 && which.slot === undefined) return only;
  const keyMaterial = new MemorySource(bytes);
  const header = decodeLuks1(keyMaterial);
  for (const passphrase of passphrases) {
    const key = unlock(header, { keyMaterial, passphrase, iterationsMax, ...which });
    if ("masterKey" in key) return passphrase;
    if (key.rule !== "luks.key.unlock") {
      throw new Luks1Error(`Cannot change a key: ${key.message.replace(/^T/, "t")}`);
    }
  }
  const what = which.slot === undefined
    ? "opens no key slot"
    : `does not open key slot ${which.slot}`;
  throw new Luks1Error(`Cannot change a key: the passphrase ${what}`);
}

/** Writes each step, and waits until it is on the disk before the next one. */
function write(path: string, steps: ReturnType<typeof keySteps>): void {
  try {
    using file = Deno.openSync(path, { read: true, write: true });
    for (const step of steps) {
      for (const part of step) writeAt(file, part);
      file.syncDataSync();
    }
  } catch (error) {
    throw new UsageError(`Cannot write to ${path}: ${whyUnreadable(error)}`);
  }
}

/** Prints which slots have a new key, and which are erased. */
function report(
  path: string,
  { before, after, json }: { before: Uint8Array; after: Uint8Array; json: boolean },
): void {
  const old = decodeLuks1(new MemorySource(before)).slots;
  const slots = decodeLuks1(new MemorySource(after)).slots.map(({ active, salt }, index) => ({
    index,
    enabled: active === slotStates.enabled,
    was: old[index]?.active === slotStates.enabled,
    same: salt.every((byte, at) => byte === old[index]?.salt[at]),
  }));
  const added = slots.filter(({ enabled, same }) => enabled && !same).map(({ index }) => index);
  const erased = slots.filter(({ enabled, was }) => was && !enabled).map(({ index }) => index);
  if (json) return print(jsonLine({ image: path, added, erased }));
  for (const slot of added) print(`key slot ${slot} has the new key`);
  for (const slot of erased) print(`key slot ${slot} is erased`);
}
