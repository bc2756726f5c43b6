/** A stretch of a guest's disk, in bytes. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What a guest should see. It follows from the model, and not from what was built. */
export interface ExpectedDisk {
  /** Bytes that the guest sees. */
  readonly size: number;
  /** Outside of these, which are ordered and do not touch, everything is zeros. */
  readonly ranges: readonly Range[];
  /** `length` bytes from `start` on, both multiples of 512; zeros behind the end. */
  read(start: number, length: number): Uint8Array;
}

/** A disk that is all of these bytes. */
export function flatDisk(bytes: Uint8Array): ExpectedDisk {
  const size = bytes.length;
  return {
    size,
    ranges: size === 0 ? [] : [{ start: 0, end: size }],
    read(start, length) {
      const target = new Uint8Array(length);
      target.set(bytes.subarray(start, start + length));
      return target;
    },
  };
}
