/** The sockets of a guest, in the thread that waits for them in its place. What is granted was checked in the guest's. */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  chargedBytes,
  type OutgoingMessage,
  type SocketAddress,
  type SocketAnswer,
  type SocketMessage,
  WINDOW_BYTES,
} from './messages.ts';

/** Connections that wait to be accepted, unless the guest asks for another number. */
const BACKLOG = 128;

/** How long a connection that was closed may take to send what is under way, in milliseconds. */
const LINGER_MS = 5_000;

/** Connections of one guest thread that are closed and still send; the oldest goes where there are more. */
const MOST_LINGERING = 64;

/** Without a signal, nobody waits for it. */
type Tell = (answer: SocketAnswer, signal: Int32Array | undefined) => void;

const OPS: ReadonlySet<string> = new Set<SocketMessage['op']>([
  'connect',
  'listen',
  'adopt',
  'socket-data',
  'socket-taken',
  'keep-alive',
  'shutdown',
  'close',
]);

/** Whether a message is for a socket, and not for a request. */
export function isSocketMessage(message: OutgoingMessage): message is SocketMessage {
  return OPS.has(message.op);
}

const CODES: Readonly<Record<string, string>> = {
  EACCES: 'access-denied',
  EADDRINUSE: 'address-in-use',
  EADDRNOTAVAIL: 'address-not-bindable',
  ECONNABORTED: 'connection-aborted',
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-reset',
  EHOSTUNREACH: 'remote-unreachable',
  EINVAL: 'invalid-argument',
  EMFILE: 'new-socket-limit',
  ENETUNREACH: 'remote-unreachable',
  EPIPE: 'connection-aborted',
  ETIMEDOUT: 'timeout',
};

function codeOf(error: Error): string {
  return CODES[String((error as NodeJS.ErrnoException).code)] ?? 'unknown';
}

function toAddress(address: string | undefined, family: string | undefined, port: number | undefined): SocketAddress {
  return { family: family === 'IPv6' ? 'ipv6' : 'ipv4', address: address ?? '', port: port ?? 0 };
}

/** What is said of a connection that is there. */
type ConnectionMessage = Exclude<SocketMessage, { readonly op: 'connect' | 'listen' | 'adopt' | 'close' }>;

/** One connection: bytes go to the guest as far as its window reaches, and to the socket as it drains. */
class Connection {
  readonly #id: number;
  readonly #socket: Socket;
  readonly #tell: (answer: SocketAnswer) => void;
  #underWay = 0;

  constructor(id: number, socket: Socket, tell: (answer: SocketAnswer) => void) {
    this.#id = id;
    this.#socket = socket;
    this.#tell = tell;
    socket.on('data', (bytes: Buffer) => {
      this.#underWay += chargedBytes(bytes);
      tell({ kind: 'socket-data', id, bytes: new Uint8Array(bytes) });
      if (this.#underWay >= WINDOW_BYTES) socket.pause();
    });
    socket.on('end', () => tell({ kind: 'socket-end', id }));
    socket.on('error', (error) => tell({ kind: 'socket-error', id, code: codeOf(error) }));
  }

  open(): void {
    const { localAddress, localFamily, localPort, remoteAddress, remoteFamily, remotePort } = this.#socket;
    const local = toAddress(localAddress, localFamily, localPort);
    const remote = toAddress(remoteAddress, remoteFamily, remotePort);
    this.#tell({ kind: 'open', id: this.#id, local, remote });
  }

  /** Ends it at once, whatever is under way. */
  destroy(): void {
    this.#socket.destroy();
  }

  accept(message: ConnectionMessage): void {
    switch (message.op) {
      case 'socket-data': {
        const count = chargedBytes(message.bytes);
        this.#socket.write(message.bytes, (error) => {
          if (!error) this.#tell({ kind: 'socket-sent', id: this.#id, count });
        });
        break;
      }
      case 'socket-taken':
        this.#underWay -= message.count;
        if (this.#underWay < WINDOW_BYTES) this.#socket.resume();
        break;
      case 'keep-alive':
        this.#socket.setKeepAlive(message.isEnabled, message.idleMs);
        break;
      case 'shutdown':
        this.#socket.end();
        break;
      default:
        message satisfies never;
    }
  }

  /** Ends it once all is sent, and in the end whatever its peer does. */
  closeSoon(): void {
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.destroySoon();
    const timer = setTimeout(() => this.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }
}

/** A listening socket, and the connections that wait to be accepted. */
class Listener {
  readonly #server: Server;
  readonly #waiting: Map<number, Socket> = new Map();
  #lastConnection = 0;

  constructor({ id, local, backlog }: Extract<SocketMessage, { op: 'listen' }>, tell: (answer: SocketAnswer) => void) {
    const most = backlog ?? BACKLOG;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      // The machine's own queue is emptied at once: this one is in its place.
      if (this.#waiting.size >= most) {
        socket.destroy();
        return;
      }
      const connection = ++this.#lastConnection;
      this.#waiting.set(connection, socket);
      socket.on('error', () => undefined);
      tell({ kind: 'accepted', id, connection });
    });
    this.#server.on('error', (error) => tell({ kind: 'socket-error', id, code: codeOf(error) }));
    this.#server.listen({ host: local.address, port: local.port, ipv6Only: local.family === 'ipv6' }, () => {
      const { address, family, port } = this.#server.address() as AddressInfo;
      tell({ kind: 'open', id, local: toAddress(address, family, port), remote: undefined });
    });
  }

  take(connection: number): Socket | undefined {
    const socket = this.#waiting.get(connection);
    this.#waiting.delete(connection);
    return socket;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#waiting.values()) socket.destroy();
    this.#waiting.clear();
  }
}

/** The sockets of one guest thread; `tell` brings what happens to them to that thread, and bumps the guest's signal. */
export class Sockets {
  readonly #tell: Tell;
  readonly #connections: Map<number, Connection> = new Map();
  /** Those that were closed and still send, the oldest first. */
  readonly #lingering: Set<Connection> = new Set();
  readonly #listeners: Map<number, { readonly listener: Listener; readonly signal: Int32Array }> = new Map();

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  accept(message: SocketMessage): void {
    if (message.op === 'connect') this.#connect(message);
    else if (message.op === 'listen') {
      const signal = new Int32Array(message.signal, 0, 1);
      const listener = new Listener(message, (answer) => this.#tell(answer, signal));
      this.#listeners.set(message.id, { listener, signal });
    } else if (message.op === 'adopt') this.#adopt(message);
    else if (message.op === 'close') this.#close(message.id);
    else this.#connections.get(message.id)?.accept(message);
  }

  /** Their guest thread has ended: nothing of it stays open. */
  close(): void {
    for (const { listener } of this.#listeners.values()) listener.close();
    for (const connection of this.#connections.values()) connection.destroy();
    this.#listeners.clear();
  }

  #close(id: number): void {
    this.#listeners.get(id)?.listener.close();
    this.#listeners.delete(id);
    const connection = this.#connections.get(id);
    if (connection !== undefined) {
      this.#lingering.add(connection);
      connection.closeSoon();
      const [oldest] = this.#lingering;
      if (this.#lingering.size > MOST_LINGERING && oldest !== undefined) {
        this.#lingering.delete(oldest);
        oldest.destroy();
      }
    }
    this.#tell({ kind: 'socket-closed', id }, undefined);
  }

  #connect({ id, remote, local, signal }: Extract<SocketMessage, { op: 'connect' }>): void {
    const bound = local === undefined ? {} : { localAddress: local.address, localPort: local.port };
    const socket = connect({ host: remote.address, port: remote.port, allowHalfOpen: true, ...bound });
    const connection = this.#keep(id, socket, new Int32Array(signal, 0, 1));
    socket.once('connect', () => connection.open());
  }

  #adopt({ id, listener: listenerId, connection }: Extract<SocketMessage, { op: 'adopt' }>): void {
    const found = this.#listeners.get(listenerId);
    const socket = found?.listener.take(connection);
    if (found === undefined || socket === undefined) return;
    this.#keep(id, socket, found.signal).open();
    socket.resume();
  }

  #keep(id: number, socket: Socket, signal: Int32Array): Connection {
    const connection = new Connection(id, socket, (answer) => this.#tell(answer, signal));
    this.#connections.set(id, connection);
    socket.once('close', () => {
      this.#connections.delete(id);
      this.#lingering.delete(connection);
    });
    return connection;
  }
}
