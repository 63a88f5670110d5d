/** Files read into memory that every thread may be given as it is: neither reading nor passing them on copies them here. */

import { open, readFile } from 'node:fs/promises';
import { sharedCopy } from '../../host/bytes.ts';

/** The whole content of a file. Nobody writes to it. @throws the system's error */
export async function readShared(path: string): Promise<Uint8Array<SharedArrayBuffer>> {
  const file = await open(path, 'r');
  try {
    const status = await file.stat();
    // A pipe or a file of proc(5) does not tell its size.
    if (!status.isFile() || status.size === 0) return sharedCopy(await readFile(file));
    const content = new Uint8Array(new SharedArrayBuffer(status.size));
    let filled = 0;
    while (filled < content.length) {
      const { bytesRead } = await file.read(content, filled, content.length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return content.subarray(0, filled);
  } finally {
    await file.close();
  }
}
