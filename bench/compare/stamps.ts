/** The guest's own start and end, out of the last line of its stderr (functions/guest/src/stamp.rs). */

/** Nanoseconds of the guest's monotonic clock. */
export interface Stamps {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** What a guest is given so that it stamps. */
export const STAMP_ENVIRONMENT: Readonly<Record<string, string>> = { NEBULA_STAMP: '1' };

const LINE = /nebula-stamp (\d+) (\d+)\n$/;

/** The stamps, or undefined when the guest wrote none. */
export function readStamps(stderr: Uint8Array): Stamps | undefined {
  const tail = stderr.subarray(Math.max(0, stderr.length - 96));
  const match = LINE.exec(Buffer.from(tail.buffer, tail.byteOffset, tail.length).toString('latin1'));
  if (match === null) return undefined;
  return { startNs: BigInt(match[1] as string), endNs: BigInt(match[2] as string) };
}
