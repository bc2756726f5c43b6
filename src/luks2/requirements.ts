import type { JsonNode } from "./json.ts";
import { member, texts } from "./nodes.ts";

const ONLINE = ["online-reencrypt", "online-reencrypt-v2", "online-reencrypt-v3"];
const OFFLINE = "offline-reencrypt";

/** What a header requires of who opens its volume. */
export interface Requirements {
  readonly all: readonly string[];
  /** Those that cryptsetup 2.6 does not know. */
  readonly unknown: readonly string[];
  /** An online reencryption that cryptsetup 2.6 knows is going on. */
  readonly online: boolean;
  /** Any reencryption is going on. */
  readonly reencryption: boolean;
}

/** The mandatory requirements of a header. */
export function requirementsOf(root: JsonNode | undefined): Requirements {
  const config = member(root, "config");
  const all = texts(member(member(config, "requirements"), "mandatory")) ?? [];
  const online = all.some((name) => ONLINE.includes(name));
  return {
    all,
    unknown: all.filter((name) => !ONLINE.includes(name) && name !== OFFLINE),
    online,
    reencryption: online || all.includes(OFFLINE),
  };
}

/** Whether a requirement is one of an online reencryption, also of a later version. */
export function isOnline(name: string): boolean {
  return /^online-reencrypt(-v[0-9]+)?$/.test(name);
}
