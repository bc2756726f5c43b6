import { type Luks2Json, OFFLINE, ONLINE } from "../json/description.ts";

/** What a header requires of the reader of its volume. */
export interface Requirements {
  readonly all: readonly string[];
  /** Those that cryptsetup 2.6 does not support. */
  readonly unknown: readonly string[];
  /** An online reencryption that cryptsetup 2.6 supports is in progress. */
  readonly online: boolean;
  /** Its version; 0 where there is none. */
  readonly version: number;
  /** An offline reencryption is in progress. */
  readonly offline: boolean;
}

/** The mandatory requirements of a header. */
export function requirementsOf({ config }: Luks2Json): Requirements {
  const all = config.requirements?.mandatory ?? [];
  const online = all.find((name) => ONLINE.has(name));
  return {
    all,
    unknown: all.filter((name) => !ONLINE.has(name) && name !== OFFLINE),
    online: online !== undefined,
    version: ONLINE.get(online ?? "") ?? 0,
    offline: all.includes(OFFLINE),
  };
}

/** Whether a requirement is one of an online reencryption, also of a later version. */
export function isOnline(name: string): boolean {
  return /^online-reencrypt(-v[0-9]+)?$/.test(name);
}
