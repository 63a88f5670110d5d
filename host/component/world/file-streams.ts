/** Streams over an open file, each with a position of its own. */

import { NO_BYTES } from '../../bytes.ts';
import type { Descriptor as File, Result } from '../../filesystem/descriptor.ts';
import { ERRNO } from '../../wasi/errno.ts';
import { FDFLAG } from '../../wasi/flags.ts';
import { fileErrorCode } from './file-errors.ts';
import type { Host } from './host.ts';
import { type ByteSink, type ByteSource, CHUNK_BYTES, failed } from './io.ts';

/** An open file, held by its descriptor and by the streams made of it; closed when the last of them goes. */
export class OpenFile {
  readonly file: File;
  readonly #host: Host;
  #holders = 1;

  constructor(host: Host, file: File) {
    this.#host = host;
    this.file = file;
    host.openFiles++;
    host.held.add(this);
  }

  share(): this {
    this.#holders++;
    return this;
  }

  leave(): void {
    if (--this.#holders > 0 || !this.#host.held.delete(this)) return;
    this.#host.openFiles--;
    this.file.close();
  }

  /** The invocation has ended. */
  release(): void {
    this.file.close();
  }
}

/** The bytes of a file from an offset on. */
export function fileSource(host: Host, open: OpenFile, offset: bigint, result: Result): ByteSource {
  let position = offset;
  return {
    isReady: () => true,
    close: () => open.leave(),
    take(most) {
      if (most === 0) return NO_BYTES;
      const buffer = new Uint8Array(most);
      const errno = open.file.pread(buffer, position, result);
      if (errno !== ERRNO.success) throw streamError(host, errno);
      if (result.count === 0) return undefined;
      position += BigInt(result.count);
      return result.count === most ? buffer : buffer.slice(0, result.count);
    },
  };
}

/** `offset` undefined appends. */
export function fileSink(host: Host, open: OpenFile, offset: bigint | undefined, result: Result): ByteSink {
  let position = offset;
  const write = (bytes: Uint8Array): number => {
    const { file } = open;
    if (position !== undefined) return file.pwrite(bytes, position, result);
    const flags = file.fdflags;
    const errno = file.setFlags(flags | FDFLAG.append);
    if (errno !== ERRNO.success) return errno;
    const written = file.write(bytes, result);
    file.setFlags(flags);
    return written;
  };
  return {
    isReady: () => true,
    close: () => open.leave(),
    room: () => CHUNK_BYTES,
    put(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        const errno = write(rest);
        if (errno !== ERRNO.success) throw streamError(host, errno);
        if (position !== undefined) position += BigInt(result.count);
        rest = rest.subarray(result.count);
      }
    },
  };
}

function streamError(host: Host, errno: number): unknown {
  const code = fileErrorCode(errno);
  return failed(host, `the file answered ${code}`, code);
}
