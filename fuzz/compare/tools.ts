import { dirname } from "node:path";
import { CryptsetupPeer, LuksdePeer, QemuImgPeer, QemuIoSession } from "../../src/peers/mod.ts";
import type { TargetContext } from "../engine/mod.ts";

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
   * @param timeoutMs for one answer: shorter than the limit of a case, so that a slow tool is identified
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

  /** The version of the tools that answer. */
  get qemuImg(): Installed<QemuImgPeer> {
    const { "qemu-img": version = "" } = this.#context.tools;
    return { peer: this.#qemuImg ??= new QemuImgPeer(this.#bounds), version };
  }

  /** Absent if it is not installed. */
  get cryptsetup(): Installed<CryptsetupPeer> | undefined {
    const { cryptsetup: version } = this.#context.tools;
    return version === undefined ? undefined : { peer: new CryptsetupPeer(this.#bounds), version };
  }

  /** Absent if it is not installed. */
  get luksde(): Installed<LuksdePeer> | undefined {
    const { luksdeinfo: version } = this.#context.tools;
    return version === undefined ? undefined : { peer: new LuksdePeer(this.#bounds), version };
  }

  /** Ends the running processes. */
  async close(): Promise<void> {
    await this.#qemuIo?.close();
    this.#qemuIo = undefined;
  }
}
