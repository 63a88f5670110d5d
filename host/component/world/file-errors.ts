/** `error-code` of wasi:filesystem for the errnos that descriptors answer with. */

import { ERRNO, type ErrnoName } from '../../wasi/errno.ts';
import { WasiError } from './guest-stop.ts';
import type { Host } from './host.ts';

const CODES: Readonly<Partial<Record<ErrnoName, string>>> = {
  acces: 'access',
  again: 'would-block',
  already: 'already',
  badf: 'bad-descriptor',
  busy: 'busy',
  deadlk: 'deadlock',
  dquot: 'quota',
  exist: 'exist',
  fbig: 'file-too-large',
  ilseq: 'illegal-byte-sequence',
  inprogress: 'in-progress',
  intr: 'interrupted',
  inval: 'invalid',
  isdir: 'is-directory',
  loop: 'loop',
  mlink: 'too-many-links',
  msgsize: 'message-size',
  nametoolong: 'name-too-long',
  nodev: 'no-device',
  noent: 'no-entry',
  nolck: 'no-lock',
  nomem: 'insufficient-memory',
  nospc: 'insufficient-space',
  notdir: 'not-directory',
  notempty: 'not-empty',
  notrecoverable: 'not-recoverable',
  notsup: 'unsupported',
  notty: 'no-tty',
  nxio: 'no-such-device',
  overflow: 'overflow',
  perm: 'not-permitted',
  notcapable: 'not-permitted',
  pipe: 'pipe',
  rofs: 'read-only',
  spipe: 'invalid-seek',
  txtbsy: 'text-file-busy',
  xdev: 'cross-device',
  mfile: 'quota',
  nfile: 'quota',
};

const BY_ERRNO: ReadonlyMap<number, string> = new Map(
  Object.entries(CODES).map(([name, code]) => [ERRNO[name as ErrnoName], code]),
);

/** The code of an errno that is no success; `io` for what wasi:filesystem has no word for. */
export function fileErrorCode(errno: number): string {
  return BY_ERRNO.get(errno) ?? 'io';
}

/** Throws what an errno means, unless it is a success. What is not granted ends the guest where the manifest says so. */
export function settle(host: Host, errno: number): void {
  if (errno === ERRNO.success) return;
  throw new WasiError(fileErrorCode(host.settle(errno, 'filesystem')));
}
