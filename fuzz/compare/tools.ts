import { dirname } from "node:path";
import { CryptsetupPeer, LuksdePeer, QemuImgPeer, QemuIoSession } from "../../src/peers/mod.ts";
import type { TargetContext } from "../engine/target.ts";

/** A tool with its version. */
export interface Installed<Peer> {
  /** The tool. */
  readonly peer: Peer;
  /** The version. */
  readonly version: string;
}

/** The programs that a target compares with, each started when it is first used. */
export class Toolbox {
  readonly #context: TargetContext;
  readonly #bounds: { readonly scratch: string; readonly timeoutMs: number };
  #qemuIo: QemuIoSession | undefined;
  #qemuImg: QemuImgPeer | undefined;

  /**
   * The tools of one run.
   *
   * @param timeoutMs for one answer: less than a case may take, so that it is known who was slow
   */
  constructor(context: TargetContext, timeoutMs: number) {
    this.#context = context;
    this.#bounds = { scratch: dirname(context.directory), timeoutMs };
  }

  /** One process that reads many images. */
  get qemuIo(): QemuIoSession {
    const { directory } = this.#context;
    return this.#qemuIo ??= new QemuIoSession({ ...this.#bounds, directory });
  }

  /** The version that content and answers are those of. */
  get qemuImg(): Installed<QemuImgPeer> {
    const { "qemu-img": version = "" } = this.#context.tools;
    return { peer: this.#qemuImg ??= new QemuImgPeer(this.#bounds), version };
  }

  /** Absent where it is not installed. */
  get cryptsetup(): Installed<CryptsetupPeer> | undefined {
    const { cryptsetup: version } = this.#context.tools;
    return version === undefined ? undefined : { peer: new CryptsetupPeer(this.#bounds), version };
  }

  /** Absent where it is not installed. */
  get luksde(): Installed<LuksdePeer> | undefined {
    const { luksdeinfo: version } = this.#context.tools;
    return version === undefined ? undefined : { peer: new LuksdePeer(this.#bounds), version };
  }

  /** Ends the processes that are kept. */
  async close(): Promise<void> {
    await this.#qemuIo?.close();
    this.#qemuIo = undefined;
  }
}
