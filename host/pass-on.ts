/** What a guest writes, handed on as it comes, for a caller whose own streams it goes to. */

import { writeSync } from 'node:fs';
import { messageOf, NebulaError } from './errors.ts';

/** Descriptors of this process, one for each of a guest's streams. */
export interface PassOn {
  readonly stdout: number;
  readonly stderr: number;
}

/** How long to wait for a reader that is behind, each time. */
const PAUSE_MS = 1;

const pause: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all of it, waiting for the reader. A reader that went away, as `head` does, is no failure of the guest's.
 * @throws NebulaError OUTPUT_LOST for what the descriptor does not take, as on a full disk
 */
export function passOn(fd: number, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') {
        throw new NebulaError(
          'OUTPUT_LOST',
          { stream: `descriptor ${fd}`, detail: messageOf(error) },
          { cause: error },
        );
      }
      Atomics.wait(pause, 0, 0, PAUSE_MS);
    }
  }
}
