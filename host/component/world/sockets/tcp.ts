/** `tcp-socket`: a state machine of starts and finishes, and the granted addresses. Source: WASI 0.2, wasi:sockets/tcp. */

import { isGranted, MOST_SOCKETS } from '../../../capabilities/sockets/allow-list.ts';
import { WasiError } from '../guest-stop.ts';
import type { SocketAddress } from '../../outgoing/messages.ts';
import type { Host } from '../host.ts';
import { InputStream, OutputStream, Pollable } from '../io.ts';
import { Resource } from '../resource.ts';
import { fromGuest, type IpSocketAddress, toGuest } from './addresses.ts';
import { Connection } from './connection.ts';

type State =
  | 'unbound'
  | 'bind-started'
  | 'bound'
  | 'connect-started'
  | 'connected'
  | 'listen-started'
  | 'listening'
  | 'closed';

const NS_PER_MS = 1_000_000n;
/** Linux's own: tcp_keepalive_time. */
const KEEP_ALIVE_IDLE_NS = 7_200_000_000_000n;
const BACKLOG_MOST = 4096;

type Streams = readonly [InputStream, OutputStream];

/** `tcp-socket`. Methods throw a WasiError with an error-code of wasi:sockets. */
export class TcpSocket extends Resource {
  readonly #family: 'ipv4' | 'ipv6';
  #state: State = 'unbound';
  #bound: SocketAddress | undefined = undefined;
  #connection: Connection | undefined = undefined;
  #backlog: number | undefined = undefined;
  #isKeptAlive = false;
  #keepAliveIdleNs = KEEP_ALIVE_IDLE_NS;

  constructor(host: Host, family: 'ipv4' | 'ipv6') {
    super(host);
    this.#family = family;
  }

  startBind(_network: Resource, local: IpSocketAddress): void {
    this.#require('unbound');
    this.#bound = this.#granted(local, this.host.options.capabilities.sockets?.bind);
    this.#state = 'bind-started';
  }

  finishBind(): void {
    if (this.#begun('bind-started')) this.#state = 'bound';
  }

  startConnect(_network: Resource, remote: IpSocketAddress): void {
    this.#require('unbound', 'bound');
    const address = this.#granted(remote, this.host.options.capabilities.sockets?.connect);
    if (address.port === 0) throw new WasiError('invalid-argument');
    const connection = this.#open();
    connection.send({ op: 'connect', signal: connection.signal, remote: address, local: this.#bound });
    this.#state = 'connect-started';
  }

  finishConnect(): Streams {
    this.#begun('connect-started');
    const connection = this.#settled();
    this.#state = 'connected';
    return this.#streams(connection);
  }

  startListen(): void {
    this.#require('bound');
    const connection = this.#open();
    const local = this.#bound as SocketAddress;
    connection.send({ op: 'listen', signal: connection.signal, local, backlog: this.#backlog });
    this.#state = 'listen-started';
  }

  finishListen(): void {
    this.#begun('listen-started');
    this.#settled();
    this.#state = 'listening';
  }

  accept(): readonly [TcpSocket, InputStream, OutputStream] {
    this.#require('listening');
    this.#receive();
    const listener = this.#connection as Connection;
    if (listener.error !== undefined) throw new WasiError(listener.error);
    const connection = listener.accepted[0];
    if (connection === undefined) throw new WasiError('would-block');
    const socket = new TcpSocket(this.host, this.#family);
    const adopted = socket.#open();
    listener.accepted.shift();
    adopted.send({ op: 'adopt', listener: listener.id, connection });
    // The other thread has it already: its addresses are on their way.
    this.host.wait([{ isReady: () => adopted.isSettled }]);
    socket.#state = 'connected';
    return [socket, ...socket.#streams(adopted)];
  }

  localAddress(): IpSocketAddress {
    this.host.enter();
    const local = this.#connection?.local ?? this.#bound;
    if (local === undefined || this.#state === 'bind-started') throw new WasiError('invalid-state');
    return toGuest(local);
  }

  remoteAddress(): IpSocketAddress {
    this.#require('connected');
    const remote = this.#connection?.remote;
    if (remote === undefined) throw new WasiError('invalid-state');
    return toGuest(remote);
  }

  isListening(): boolean {
    this.host.enter();
    return this.#state === 'listening';
  }

  addressFamily(): 'ipv4' | 'ipv6' {
    this.host.enter();
    return this.#family;
  }

  setListenBacklogSize(size: bigint): void {
    this.host.enter();
    if (size === 0n) throw new WasiError('invalid-argument');
    if (this.#state === 'listening' || this.#state === 'listen-started') throw new WasiError('not-supported');
    this.#backlog = size > BigInt(BACKLOG_MOST) ? BACKLOG_MOST : Number(size);
  }

  keepAliveEnabled(): boolean {
    this.host.enter();
    return this.#isKeptAlive;
  }

  setKeepAliveEnabled(isEnabled: boolean): void {
    this.host.enter();
    this.#isKeptAlive = isEnabled;
    this.#sendKeepAlive();
  }

  keepAliveIdleTime(): bigint {
    this.host.enter();
    return this.#keepAliveIdleNs;
  }

  setKeepAliveIdleTime(durationNs: bigint): void {
    this.host.enter();
    if (durationNs === 0n) throw new WasiError('invalid-argument');
    this.#keepAliveIdleNs = durationNs;
    this.#sendKeepAlive();
  }

  /** Node sets none of these: it is better to say so than to pretend. */
  keepAliveInterval(): never {
    return this.#refuse();
  }
  setKeepAliveInterval(): never {
    return this.#refuse();
  }
  keepAliveCount(): never {
    return this.#refuse();
  }
  setKeepAliveCount(): never {
    return this.#refuse();
  }
  hopLimit(): never {
    return this.#refuse();
  }
  setHopLimit(): never {
    return this.#refuse();
  }
  receiveBufferSize(): never {
    return this.#refuse();
  }
  setReceiveBufferSize(): never {
    return this.#refuse();
  }
  sendBufferSize(): never {
    return this.#refuse();
  }
  setSendBufferSize(): never {
    return this.#refuse();
  }

  /** Ready when the operation that was started can be finished, or a connection accepted. */
  subscribe(): Pollable {
    this.host.enter();
    return new Pollable(this.host, {
      isReady: () => {
        const connection = this.#connection;
        if (connection === undefined || connection.error !== undefined) return true;
        return this.#state === 'listening' ? connection.accepted.length > 0 : connection.isSettled;
      },
    });
  }

  shutdown(kind: 'receive' | 'send' | 'both'): void {
    this.#require('connected');
    this.#connection?.shutdown(kind);
  }

  protected override release(): void {
    this.#connection?.leave();
  }

  /** @throws WasiError invalid-argument for another family, access-denied for what was not granted */
  #granted(given: IpSocketAddress, grants: readonly string[] = []): SocketAddress {
    if (given.tag !== this.#family) throw new WasiError('invalid-argument');
    const address = fromGuest(given);
    if (isGranted(grants, address)) return address;
    this.host.deny('sockets');
    throw new WasiError('access-denied');
  }

  #open(): Connection {
    const open = [...this.host.held].filter((each) => each instanceof Connection).length;
    if (open >= MOST_SOCKETS) throw new WasiError('new-socket-limit');
    this.#connection = new Connection(this.host);
    return this.#connection;
  }

  #streams(connection: Connection): Streams {
    return [new InputStream(this.host, connection.input()), new OutputStream(this.host, connection.output())];
  }

  #require(...states: readonly State[]): void {
    this.host.enter();
    if (!states.includes(this.#state)) throw new WasiError('invalid-state');
  }

  #begun(state: State): boolean {
    this.host.enter();
    if (this.#state !== state) throw new WasiError('not-in-progress');
    return true;
  }

  /** The connection once it is open. */
  #settled(): Connection {
    this.#receive();
    const connection = this.#connection as Connection;
    if (!connection.isSettled) throw new WasiError('would-block');
    if (connection.error === undefined) return connection;
    this.#state = 'closed';
    throw new WasiError(connection.error);
  }

  #receive(): void {
    for (const receive of this.host.receivers) receive();
  }

  #sendKeepAlive(): void {
    const idleMs = Number(this.#keepAliveIdleNs / NS_PER_MS);
    this.#connection?.send({ op: 'keep-alive', isEnabled: this.#isKeptAlive, idleMs });
  }

  #refuse(): never {
    this.host.enter();
    throw new WasiError('not-supported');
  }
}
