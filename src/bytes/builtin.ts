interface Builtins {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:worker_threads": typeof import("node:worker_threads");
  readonly "node:zlib": typeof import("node:zlib");
}

interface Runtime {
  readonly process?: {
    getBuiltinModule?<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined;
  };
}

const loaded: { -readonly [Name in keyof Builtins]?: Builtins[Name] } = {};

/**
 * A Node module, which Deno also has. It is loaded on first use, because importing one takes Deno as
 * long as starting.
 *
 * @throws {TypeError} if the runtime does not have it
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const known = loaded[name];
  if (known !== undefined) return known;
  const module = (globalThis as Runtime).process?.getBuiltinModule?.(name);
  if (module !== undefined) return loaded[name] = module;
  throw new TypeError(`Cannot use ${name}: this requires Deno 2 or Node 22.3`);
}
