import { QemuImgPeer } from "../../src/peers/mod.ts";

/**
 * The installed qemu-img, and those of `--answers-by`, whose commands are split at blanks.
 *
 * @throws {ToolError} when one of them does not work
 */
export async function answerers(commands: readonly string[]): Promise<QemuImgPeer[]> {
  const peers = [
    new QemuImgPeer(),
    ...commands.map((command) => new QemuImgPeer({ command: command.split(" ") })),
  ];
  for (const peer of peers) await peer.describe();
  return peers;
}
