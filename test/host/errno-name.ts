/** Errnos by name, which makes failures readable. */

import { ERRNO } from '../../host/wasi/errno.ts';

const NAMES: readonly string[] = Object.keys(ERRNO);

export function errnoName(errno: number): string {
  return NAMES[errno] ?? `errno ${errno}`;
}
