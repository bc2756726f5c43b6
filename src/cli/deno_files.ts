import type { FileSystem } from "../bytes/mod.ts";

/** Deno's file system. Loading Node's takes as long as starting Deno. */
export const denoFileSystem: FileSystem = {
  open(path) {
    // Opening a FIFO would wait for a writer.
    const { isFile } = Deno.statSync(path);
    const file = isFile ? Deno.openSync(path) : undefined;
    const stat = file === undefined ? Deno.statSync(path) : file.statSync();
    return {
      facts: {
        isFile: file !== undefined && stat.isFile,
        size: stat.size,
        allocated: stat.blocks === null ? undefined : stat.blocks * 512,
        identity: `${stat.dev}:${stat.ino}`,
      },
      readAt(offset, target) {
        file?.seekSync(offset, Deno.SeekMode.Start);
        return file?.readSync(target) ?? 0;
      },
      close: () => file?.close(),
    };
  },
  realPath: (path) => Deno.realPathSync(path),
};
