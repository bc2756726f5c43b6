import {
  drained,
  endOf,
  killProcess,
  type RunningTool,
  startTool,
  type ToolEnd,
} from "../tool/process.ts";

/** What a batch of commands made qemu-io print. */
export interface Exchange {
  /** Standard output of each command, in order; fewer than commands where the process died. */
  readonly outputs: readonly string[];
  /** Standard error of all commands together. */
  readonly errors: string;
  /** How the process ended, where it did not outlive the batch. */
  readonly end?: ToolEnd;
}

/** How a qemu-io process is started and bounded. */
export interface QemuIoProcessOptions {
  readonly command: readonly string[];
  readonly directory?: string;
  /** Milliseconds for one batch. */
  readonly timeoutMs: number;
}

const ENCODER = new TextEncoder();
const PROMPT = "qemu-io> ";
/** More than the buffer that qemu-io reads into; a line is shorter than its longest command. */
const BLANK_LINES = 5;
const BLANKS = `${" ".repeat(900)}\n`.repeat(BLANK_LINES);
/** Text of one batch beyond which the process is killed. */
const OUTPUT_LIMIT = 64 * 1024 * 1024;

/** A part of words that end something, which no image can name in a message of QEMU. */
const OWN = crypto.randomUUID();

/** A command that qemu-io does not know: what it prints about it marks an end. */
export function endWord(of: string): string {
  return `end-of-batch-${of}-${OWN}`;
}

/**
 * One qemu-io process that is fed through its standard input.
 *
 * The commands of a batch go in with one write. qemu-io reads ahead into a buffer of 4096 bytes, and
 * runs a command from there only while more input waits: so blank lines follow that do not fit into the
 * buffer. It runs them as commands that do nothing, at the latest at the start of the next batch. A
 * prompt is at the start of a line, where no output of a command is, and everything printed before it is
 * flushed. A batch ends in a word never used before, which qemu-io names on standard error as a command
 * that it does not know: the text before it belongs to the batch.
 */
export class QemuIoProcess {
  readonly #child: RunningTool;
  readonly #options: QemuIoProcessOptions;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: Incoming;
  readonly #stderr: Incoming;
  /** How the process ended, once its output has been taken in. */
  readonly #exit: Promise<ToolEnd>;
  #batches = 0;
  #ended = false;

  /** @throws {PeerError} when qemu-io cannot be started */
  constructor(options: QemuIoProcessOptions) {
    const { command, directory } = options;
    this.#options = options;
    this.#child = startTool(command, directory === undefined ? {} : { directory });
    this.#input = this.#child.stdin.getWriter();
    this.#stdout = new Incoming(this.#child.stdout);
    this.#stderr = new Incoming(this.#child.stderr);
    this.#exit = this.#child.status.then(async (status) => {
      this.#ended = true;
      await drained([this.#stdout.drained, this.#stderr.drained]);
      await Promise.all([this.#stdout.cancel(), this.#stderr.cancel()]);
      return endOf(status);
    });
  }

  /** Batches run so far. */
  get batches(): number {
    return this.#batches;
  }

  /** The process is gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Runs commands, none of which contains a line break. */
  async run(
    commands: readonly string[],
    timeoutMs: number = this.#options.timeoutMs,
  ): Promise<Exchange> {
    let end: ToolEnd | undefined;
    const kill = (reason: ToolEnd) => {
      end ??= reason;
      killProcess(this.#child);
    };
    const timer = setTimeout(() => kill({ kind: "timed-out", timeoutMs }), timeoutMs);
    const onFlood = () => kill({ kind: "flooded", limit: OUTPUT_LIMIT });
    try {
      const prompt = { mark: PROMPT, atLineStart: true };
      // The prompt at the start, or those of the blank lines of the last batch.
      const before = this.#batches === 0 ? 1 : BLANK_LINES;
      const word = endWord(`${++this.#batches}`);
      const lines = [...commands, word];
      this.#input.write(ENCODER.encode(`${lines.join("\n")}\n${BLANKS}`)).catch(() => {});
      const outputs: string[] = [];
      for (let prompts = 0; prompts < before + lines.length; prompts++) {
        const output = await this.#stdout.until(prompt, onFlood);
        if (!output.found) break;
        if (prompts >= before) outputs.push(output.text);
      }
      // The word is its own proof: some of QEMU's messages end without a line break.
      const mark = `command "${word}" not found\n`;
      const errors = await this.#stderr.until({ mark, atLineStart: false }, onFlood);
      if (errors.found) return { outputs, errors: errors.text };
      const exit = await this.#exit;
      return { outputs, errors: errors.text, end: end ?? exit };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    killProcess(this.#child);
    await this.#input.abort().catch(() => {});
    await this.#exit;
  }
}

/** What comes in from a stream, kept until someone has waited for it. */
class Incoming {
  /** Settles when the stream has ended. */
  readonly drained: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";
  #closed = false;
  #wake: () => void = () => {};

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.drained = this.#take();
  }

  async #take(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      this.#text += decoder.decode(value, { stream: true });
      this.#wake();
    }
    this.#closed = true;
    this.#wake();
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
    await this.drained;
  }

  /**
   * Takes everything up to a mark, or everything there is once the stream has ended without it.
   */
  async until(
    { mark, atLineStart }: { mark: string; atLineStart: boolean },
    onFlood: () => void,
  ): Promise<{ text: string; found: boolean }> {
    let searched = 0;
    for (;;) {
      const at = atLineStart
        ? indexOfLine(this.#text, { mark, from: searched })
        : this.#text.indexOf(mark, searched);
      if (at >= 0) {
        const text = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + mark.length);
        return { text, found: true };
      }
      if (this.#closed) return { text: this.#text, found: false };
      if (this.#text.length > OUTPUT_LIMIT) onFlood();
      searched = Math.max(0, this.#text.length - mark.length);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

function indexOfLine(text: string, { mark, from }: { mark: string; from: number }): number {
  let at = text.indexOf(mark, from);
  while (at > 0 && text[at - 1] !== "\n") at = text.indexOf(mark, at + 1);
  return at;
}
