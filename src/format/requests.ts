/** Largest end offset of a read of QEMU's block layer: 2^63 - 2^30. */
export const REQUEST_END_MAX: bigint = 2n ** 63n - 2n ** 30n;

/** Largest single request of QEMU's block layer in bytes. */
export const REQUEST_MAX: number = 2 ** 31 - 512;

/** Whether QEMU's block layer can read `length` bytes at an offset. */
export function requestable(offset: bigint, length: number | bigint): boolean {
  return offset + BigInt(length) <= REQUEST_END_MAX;
}
