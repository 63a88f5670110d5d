/** Whether an fd of the machine can be read without waiting. */

import { loadLibc } from './libc.ts';

/** Numbers of the kernel's ABI, the same on x64 and arm64. */
const POLLIN = 1;
const FIONREAD = 0x541b;

/** `struct pollfd`: 0 fd i32 | 4 events i16 | 6 revents i16. */
const POLLFD: DataView = new DataView(new ArrayBuffer(8));
const COUNT: Int32Array = new Int32Array(1);

/**
 * Bytes that can be read at once, 0 at the end or where the machine does not count them, -1 when a read would wait.
 * Without a C library to ask, an fd counts as ready.
 */
export function machineReadableBytes(fd: number): number {
  const libc = loadLibc();
  if (libc === undefined) return 0;
  POLLFD.setInt32(0, fd, true);
  POLLFD.setInt16(4, POLLIN, true);
  POLLFD.setInt16(6, 0, true);
  if (libc.poll(POLLFD, 1, 0) <= 0 || POLLFD.getInt16(6, true) === 0) return -1;
  const isCounted = libc.ioctl(fd, FIONREAD, COUNT) === 0;
  return isCounted ? (COUNT[0] as number) : 0;
}
