import { mkdirSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";

/** Name of the folder of the counts in the directory of a worker. */
export const PROFILE = "profile";

/** The source files whose coverage is taken. */
const SOURCES = new URL("../../src/", import.meta.url).href;

/** Time between two takes in milliseconds: it grows, since a take takes tens of milliseconds. */
const INTERVAL = 5000;
const INTERVAL_GROWTH = 1.5;

interface ProfileSetup {
  readonly directory: string;
  readonly profiled?: true;
}

/** Which blocks of src/ a thread runs, as V8 counts them. */
export class Profile {
  readonly #session: Session;
  readonly #directory: string;
  #takes = 0;
  #interval = INTERVAL;
  #last = performance.now();

  private constructor(session: Session, directory: string) {
    this.#session = session;
    this.#directory = directory;
  }

  /**
   * Starts counting, if the setup requests it. Modules that are loaded before this are not complete.
   *
   * @param setup of the thread of a worker
   */
  static async start({ directory, profiled }: ProfileSetup): Promise<Profile | undefined> {
    if (profiled !== true) return undefined;
    const session = new Session();
    session.connect();
    await post(session, "Profiler.enable");
    await post(session, "Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    const own = join(directory, PROFILE);
    mkdirSync(own, { recursive: true });
    return new Profile(session, own);
  }

  /** Takes the counts now and then, so that little is lost with the thread. */
  async takeSometimes(): Promise<void> {
    if (performance.now() - this.#last < this.#interval) return;
    await this.take();
    this.#interval *= INTERVAL_GROWTH;
  }

  /** Writes the counts since the last take: a file for each source file, as `deno coverage` reads them. */
  async take(): Promise<void> {
    const taken = await post(this.#session, "Profiler.takePreciseCoverage");
    const { result } = taken as { readonly result: readonly ScriptCoverage[] };
    const take = this.#takes++;
    for (const [index, script] of result.entries()) {
      if (!script.url.startsWith(SOURCES)) continue;
      writeFileSync(join(this.#directory, `${take}-${index}.json`), JSON.stringify(script));
    }
    this.#last = performance.now();
  }
}

interface ScriptCoverage {
  readonly url: string;
}

function post(session: Session, method: string, params?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error: Error | null, result?: object) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
