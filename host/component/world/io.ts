/** wasi:io: errors, pollables and streams. Source: WASI 0.2, wasi:io/error, wasi:io/poll, wasi:io/streams. */

import { WasiError } from './guest-stop.ts';
import type { Awaitable, Host } from './host.ts';
import { Resource } from './resource.ts';

/** Most bytes one read or one permitted write has. */
export const CHUNK_BYTES = 65_536;

/** `wasi:io/error.error`: what went wrong, and for those who know the source, its code. */
export class IoError extends Resource {
  readonly message: string;
  readonly code: unknown;

  constructor(host: Host, message: string, code?: unknown) {
    super(host);
    this.message = message;
    this.code = code;
  }

  toDebugString(): string {
    return this.message;
  }
}

/** The `closed` case of a stream-error. */
export function closed(): WasiError {
  return new WasiError({ tag: 'closed' });
}

/** The `last-operation-failed` case of a stream-error. */
export function failed(host: Host, message: string, code?: unknown): WasiError {
  return new WasiError({ tag: 'last-operation-failed', val: new IoError(host, message, code) });
}

/** `wasi:io/poll.pollable`: something to wait for. */
export class Pollable extends Resource {
  readonly awaited: Awaitable;

  constructor(host: Host, awaited: Awaitable) {
    super(host);
    this.awaited = awaited;
  }

  ready(): boolean {
    this.host.enter();
    for (const receive of this.host.receivers) receive();
    return this.awaited.isReady();
  }

  block(): void {
    this.host.enter();
    this.host.waitSuspended([this.awaited]);
  }
}

/** `poll`: waits for one and answers the indices of all that are ready. Traps for an empty list, as the interface has it. */
export function poll(host: Host, pollables: readonly Pollable[]): Uint32Array {
  host.enter();
  if (pollables.length === 0) throw new WebAssembly.RuntimeError('poll of an empty list');
  if (!host.waitSuspended(pollables.map(({ awaited }) => awaited))) return new Uint32Array();
  const ready: number[] = [];
  pollables.forEach(({ awaited }, at) => {
    if (awaited.isReady()) ready.push(at);
  });
  return Uint32Array.from(ready);
}

/** Where an input stream's bytes come from. */
export interface ByteSource extends Awaitable {
  /** Up to `most` bytes that are there, none when there are none yet, undefined at the end. */
  take(most: number): Uint8Array | undefined;
  close?(): void;
}

/** Where an output stream's bytes go. */
export interface ByteSink extends Awaitable {
  /** Bytes it takes now: 0 is none yet, undefined that it is closed. */
  room(): number | undefined;
  /** Takes as many bytes as `room` said, or fewer. */
  put(bytes: Uint8Array): void;
  /** Whether everything put has been taken further. */
  isFlushed?(): boolean;
  close?(): void;
}

function toLength(length: bigint): number {
  return length > BigInt(CHUNK_BYTES) ? CHUNK_BYTES : Number(length);
}

/** `wasi:io/streams.input-stream`: bytes of a source. Methods throw a WasiError with a stream-error. */
export class InputStream extends Resource {
  readonly #source: ByteSource;

  constructor(host: Host, source: ByteSource) {
    super(host);
    this.#source = source;
  }

  read(length: bigint): Uint8Array {
    this.host.enter();
    for (const receive of this.host.receivers) receive();
    return this.#take(toLength(length));
  }

  blockingRead(length: bigint): Uint8Array {
    this.host.enter();
    for (;;) {
      const bytes = this.#take(toLength(length));
      if (bytes.length > 0 || length === 0n) return bytes;
      if (!this.host.waitSuspended([this.#source])) return bytes;
    }
  }

  skip(length: bigint): bigint {
    return BigInt(this.read(length).length);
  }

  blockingSkip(length: bigint): bigint {
    return BigInt(this.blockingRead(length).length);
  }

  subscribe(): Pollable {
    this.host.enter();
    return new Pollable(this.host, this.#source);
  }

  protected override release(): void {
    this.#source.close?.();
  }

  #take(most: number): Uint8Array {
    const bytes = this.#source.take(most);
    if (bytes === undefined) throw closed();
    return bytes;
  }
}

/** `wasi:io/streams.output-stream`: bytes for a sink. Methods throw a WasiError with a stream-error. */
export class OutputStream extends Resource {
  readonly #sink: ByteSink;
  /** Bytes of a write that were taken before its guest was suspended in it. */
  #writtenBytes = 0;

  constructor(host: Host, sink: ByteSink) {
    super(host);
    this.#sink = sink;
  }

  checkWrite(): bigint {
    this.host.enter();
    for (const receive of this.host.receivers) receive();
    return BigInt(this.#room());
  }

  write(bytes: Uint8Array): void {
    this.host.enter();
    if (bytes.length > this.#room()) throw new WebAssembly.RuntimeError('write of more bytes than are permitted');
    if (bytes.length > 0) this.#sink.put(bytes);
  }

  blockingWriteAndFlush(bytes: Uint8Array): void {
    this.host.enter();
    let isOver = true;
    try {
      isOver = this.#writeAll(bytes) && this.#flush();
    } finally {
      if (isOver) this.#writtenBytes = 0;
    }
  }

  flush(): void {
    this.host.enter();
    this.#room();
  }

  blockingFlush(): void {
    this.host.enter();
    this.#flush();
  }

  subscribe(): Pollable {
    this.host.enter();
    return new Pollable(this.host, this.#sink);
  }

  writeZeroes(length: bigint): void {
    this.write(new Uint8Array(this.#permitted(length)));
  }

  blockingWriteZeroesAndFlush(length: bigint): void {
    this.blockingWriteAndFlush(new Uint8Array(this.#permitted(length)));
  }

  splice(from: InputStream, length: bigint): bigint {
    const room = this.checkWrite();
    const bytes = from.read(length < room ? length : room);
    this.write(bytes);
    return BigInt(bytes.length);
  }

  blockingSplice(from: InputStream, length: bigint): bigint {
    this.host.enter();
    while (this.#room() === 0) if (!this.host.waitSuspended([this.#sink])) return 0n;
    const room = BigInt(this.#room());
    const bytes = from.blockingRead(length < room ? length : room);
    if (bytes.length > 0) this.write(bytes);
    return BigInt(bytes.length);
  }

  protected override release(): void {
    this.#sink.close?.();
  }

  #permitted(length: bigint): number {
    if (length > BigInt(CHUNK_BYTES)) throw new WebAssembly.RuntimeError('write of more bytes than are permitted');
    return Number(length);
  }

  #room(): number {
    const room = this.#sink.room();
    if (room === undefined) throw closed();
    return room;
  }

  /** False when the guest is to be suspended, and this to be called with the same bytes again. */
  #writeAll(bytes: Uint8Array): boolean {
    while (this.#writtenBytes < bytes.length) {
      const room = this.#room();
      if (room === 0) {
        if (!this.host.waitSuspended([this.#sink])) return false;
        continue;
      }
      const part = bytes.subarray(this.#writtenBytes, this.#writtenBytes + room);
      this.#writtenBytes += part.length;
      this.#sink.put(part);
    }
    return true;
  }

  /** False as `#writeAll` has it. */
  #flush(): boolean {
    const sink = this.#sink;
    while (sink.isFlushed?.() === false) {
      this.#room();
      const flushed = { isReady: () => sink.isFlushed?.() !== false || sink.room() === undefined };
      if (!this.host.waitSuspended([flushed])) return false;
    }
    this.#room();
    return true;
  }
}
