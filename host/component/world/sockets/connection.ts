/** A guest's end of a socket that another thread holds: what has come, what may be sent, and how it stands. */

import { NO_BYTES } from '../../../bytes.ts';
import { type Outgoing, outgoingOfThread } from '../../outgoing/outgoing.ts';
import { type SocketAddress, type SocketAnswer, type SocketMessage, WINDOW_BYTES } from '../../outgoing/messages.ts';
import type { Host } from '../host.ts';
import { type ByteSink, type ByteSource, CHUNK_BYTES, failed } from '../io.ts';

/** A message without the id, which is the connection's. */
type Unaddressed<Message> = Message extends SocketMessage ? Omit<Message, 'id'> : never;

function receiveAll(): void {
  outgoingOfThread().receive();
}

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
    host.receivers.add(receiveAll);
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
        this.#unsentBytes += bytes.length;
        this.send({ op: 'socket-data', bytes: bytes.slice() });
      },
      isFlushed: () => this.#unsentBytes === 0 || this.error !== undefined,
      close: () => this.leave(),
    };
  }

  shutdown(kind: 'receive' | 'send' | 'both'): void {
    if (kind !== 'send') {
      this.#isReceiving = false;
      this.#pieces = [];
    }
    if (kind !== 'receive' && !this.#isShut) {
      this.#isShut = true;
      this.send({ op: 'shutdown' });
    }
  }

  /** The last one to leave closes it. */
  leave(): void {
    if (--this.#users === 0) this.release();
  }

  /** The invocation has ended, or nobody uses it any more. */
  release(): void {
    this.send({ op: 'close' });
    this.#outgoing.close(this.#id);
    this.#host.held.delete(this);
  }

  #accept(answer: SocketAnswer): void {
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
        else this.send({ op: 'socket-taken', count: answer.bytes.length });
        break;
      case 'socket-sent':
        this.#unsentBytes -= answer.count;
        break;
      case 'socket-end':
        this.#isEnded = true;
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
    const part = piece.subarray(0, most);
    if (part.length === piece.length) this.#pieces.shift();
    else this.#pieces[0] = piece.subarray(part.length);
    this.send({ op: 'socket-taken', count: part.length });
    return part;
  }

  #room(): number | undefined {
    if (this.error !== undefined) throw failed(this.#host, `the connection failed: ${this.error}`, this.error);
    return this.#isShut ? undefined : Math.max(0, Math.min(CHUNK_BYTES, WINDOW_BYTES - this.#unsentBytes));
  }
}
