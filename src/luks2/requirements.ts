import type { JsonNode } from "./json/value.ts";
import { member, texts } from "./json/access.ts";

/** With the version of each. */
const ONLINE: ReadonlyMap<string, number> = new Map([
  ["online-reencrypt", 1],
  ["online-reencrypt-v2", 2],
  ["online-reencrypt-v3", 3],
]);
const OFFLINE = "offline-reencrypt";

/** What a header requires of who opens its volume. */
export interface Requirements {
  readonly all: readonly string[];
  /** Those that cryptsetup 2.6 does not know. */
  readonly unknown: readonly string[];
  /** An online reencryption that cryptsetup 2.6 knows is going on. */
  readonly online: boolean;
  /** Its version; 0 where there is none. */
  readonly version: number;
  /** A reencryption of the kind that keeps everybody else away is going on. */
  readonly offline: boolean;
}

/** The mandatory requirements of a header. */
export function requirementsOf(root: JsonNode | undefined): Requirements {
  const config = member(root, "config");
  const all = texts(member(member(config, "requirements"), "mandatory")) ?? [];
  const versions = all.map((name) => ONLINE.get(name)).filter((version) => version !== undefined);
  return {
    all,
    unknown: all.filter((name) => !ONLINE.has(name) && name !== OFFLINE),
    online: versions.length > 0,
    version: versions[0] ?? 0,
    offline: all.includes(OFFLINE),
  };
}

/** Whether a requirement is one of an online reencryption, also of a later version. */
export function isOnline(name: string): boolean {
  return /^online-reencrypt(-v[0-9]+)?$/.test(name);
}
