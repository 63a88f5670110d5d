/** Writes a tar archive in memory. Format: POSIX.1-1988 ustar, its header of 512 bytes drawn in IEEE Std 1003.1, pax. */

import { Buffer } from 'node:buffer';

const BLOCK_BYTES = 512;
const CHECKSUM_AT = 148;

/** A file of an archive. */
export interface TarFile {
  /** At most 100 bytes, ASCII. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** The same files give the same bytes: owners and times are 0. */
export function tarOf(files: readonly TarFile[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const file of files) {
    const paddingBytes = (BLOCK_BYTES - (file.bytes.length % BLOCK_BYTES)) % BLOCK_BYTES;
    parts.push(headerOf(file), file.bytes, Buffer.alloc(paddingBytes));
  }
  parts.push(Buffer.alloc(2 * BLOCK_BYTES));
  return Buffer.concat(parts);
}

function headerOf({ path, bytes, mode }: TarFile): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const writeOctal = (value: number, at: number, digits: number): void => {
    header.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  };
  header.write(path, 0, 'latin1');
  writeOctal(mode, 100, 7);
  writeOctal(0, 108, 7);
  writeOctal(0, 116, 7);
  writeOctal(bytes.length, 124, 11);
  writeOctal(0, 136, 11);
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  // The checksum is taken with its own field full of spaces.
  header.fill(' ', CHECKSUM_AT, CHECKSUM_AT + 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  writeOctal(sum, CHECKSUM_AT, 6);
  header[CHECKSUM_AT + 6] = 0;
  return header;
}
