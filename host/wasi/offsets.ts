/** Bounds of offsets in files, for every version of WASI. */

/** The largest offset that Linux takes: `off_t` is signed, the `filesize` of WASI is not. Source: lseek(2). */
export const OFFSET_MAX: bigint = 2n ** 63n - 1n;

/** Whether an offset or length (u64) is more than a file's offset can be. */
export function isBeyondOffsets(value: bigint): boolean {
  return value > OFFSET_MAX;
}
