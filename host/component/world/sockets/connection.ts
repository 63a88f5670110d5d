/** A guest's end of a socket that another thread holds: what has come, what may be sent, and how it stands. */

import { NO_BYTES } from '../../../bytes.ts';
import { type Outgoing, outgoingOfThread } from '../../outgoing/outgoing.ts';
import {
  chargedBytes,
  type SocketAddress,
  type SocketAnswer,
  type SocketMessage,
  WINDOW_BYTES,
} from '../../outgoing/messages.ts';
import type { Host } from '../host.ts';
import { type ByteSink, type ByteSource, CHUNK_BYTES, failed } from '../io.ts';

/** A message without the id, which is the connection's. */
type Unaddressed<Message> = Message extends SocketMessage ? Omit<Message, 'id'> : never;

/**
 * A socket that the other thread holds, as its guest's thread sees it: what came, what is under way, and who still
 * uses it.
 */
export class Connection {
  readonly #host: Host;
  readonly #outgoing: Outgoing = outgoingOfThread();
  readonly #id: number;
  local: SocketAddress | undefined = undefined;
  remote: SocketAddress | undefined = undefined;
  /** An error-code of wasi:sockets. */
  error: string | undefined = undefined;
  /** Connections of a listener that wait to be accepted. */
  readonly accepted: number[] = [];
  #pieces: Uint8Array[] = [];
  /** Of the first piece, which is given back whole. */
  #takenBytes = 0;
  #isClosed = false;
  #isEnded = false;
  #isShut = false;
  #isReceiving = true;
  #unsentBytes = 0;
  /** Who may still use it: the socket and its two streams. */
  #users = 1;

  constructor(host: Host) {
    this.#host = host;
    this.#id = this.#outgoing.open((answer) => this.#accept(answer as SocketAnswer));
    host.held.add(this);
    host.receivers.add(this.#outgoing.receive);
  }

  get id(): number {
    return this.#id;
  }

  /** Whether it has come to be open, or failed. */
  get isSettled(): boolean {
    return this.local !== undefined || this.error !== undefined;
  }

  send(message: Unaddressed<SocketMessage>): void {
    this.#outgoing.send({ ...message, id: this.#id });
  }

  /** What the other thread tells this guest by. */
  get signal(): SharedArrayBuffer {
    return this.#host.signal.buffer as SharedArrayBuffer;
  }

  input(): ByteSource {
    this.#users++;
    return {
      isReady: () => this.#pieces.length > 0 || this.#isEnded || !this.#isReceiving || this.error !== undefined,
      take: (most) => this.#take(most),
      close: () => this.leave(),
    };
  }

  output(): ByteSink {
    this.#users++;
    return {
      isReady: () => this.#isShut || this.error !== undefined || this.#unsentBytes < WINDOW_BYTES,
      room: () => this.#room(),
      put: (bytes) => {
        this.#unsentBytes += chargedBytes(bytes);
        this.send({ op: 'socket-data', bytes: bytes.slice() });
      },
      isFlushed: () => this.#unsentBytes === 0 || this.error !== undefined,
      close: () => this.leave(),
    };
  }

  shutdown(kind: 'receive' | 'send' | 'both'): void {
    if (kind !== 'send') {
      this.#isReceiving = false;
      for (const piece of this.#pieces) this.send({ op: 'socket-taken', count: chargedBytes(piece) });
      this.#letGo();
    }
    if (kind !== 'receive' && !this.#isShut) {
      this.#isShut = true;
      this.send({ op: 'shutdown' });
    }
  }

  /** The last one to leave closes it; it counts until the other thread has heard of it. */
  leave(): void {
    if (--this.#users === 0) this.#close();
  }

  /** The invocation has ended. */
  release(): void {
    this.#close();
    this.#outgoing.close(this.#id);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#letGo();
    this.send({ op: 'close' });
  }

  #letGo(): void {
    this.#pieces = [];
    this.#takenBytes = 0;
  }

  #accept(answer: SocketAnswer): void {
    if (this.#isClosed) {
      if (answer.kind !== 'socket-closed' && answer.kind !== 'socket-error') return;
      this.#outgoing.close(this.#id);
      this.#host.held.delete(this);
      return;
    }
    switch (answer.kind) {
      case 'open':
        this.local = answer.local;
        this.remote = answer.remote;
        break;
      case 'accepted':
        this.accepted.push(answer.connection);
        break;
      case 'socket-data':
        if (this.#isReceiving) this.#pieces.push(answer.bytes);
        else this.send({ op: 'socket-taken', count: chargedBytes(answer.bytes) });
        break;
      case 'socket-sent':
        this.#unsentBytes -= answer.count;
        break;
      case 'socket-end':
        this.#isEnded = true;
        break;
      case 'socket-closed':
        break;
      case 'socket-error':
        this.error = answer.code;
        break;
      default:
        answer satisfies never;
    }
  }

  #take(most: number): Uint8Array | undefined {
    if (most === 0) return NO_BYTES;
    const [piece] = this.#pieces;
    if (piece === undefined) {
      if (this.error !== undefined) throw failed(this.#host, `the connection failed: ${this.error}`, this.error);
      return this.#isEnded || !this.#isReceiving ? undefined : NO_BYTES;
    }
    const part = piece.subarray(this.#takenBytes, this.#takenBytes + most);
    this.#takenBytes += part.length;
    if (this.#takenBytes === piece.length) {
      this.#takenBytes = 0;
      this.#pieces.shift();
      this.send({ op: 'socket-taken', count: chargedBytes(piece) });
    }
    return part;
  }

  #room(): number | undefined {
    if (this.error !== undefined) throw failed(this.#host, `the connection failed: ${this.error}`, this.error);
    return this.#isShut ? undefined : Math.max(0, Math.min(CHUNK_BYTES, WINDOW_BYTES - this.#unsentBytes));
  }
}
