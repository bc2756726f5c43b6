/** An adapter to start from. */
export interface Skeleton {
  /** Its files, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Commands that build it, in its folder. */
  readonly build: readonly string[];
  /** The command of the adapter; `DIR` stands for its folder. */
  readonly command: string;
}
