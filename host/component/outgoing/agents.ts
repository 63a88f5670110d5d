/**
 * How connections for requests are made: under one grant, checked where they are made, and kept for the next request under
 * the same grant, whichever guest makes it. How many one guest has at once is its link's to bound.
 */

import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import { Agent, buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { isPublicAddress } from '../../capabilities/http/public-address.ts';

/** The shortest time to connect that is kept apart from others. */
const MIN_CONNECT_MS = 64;

/** `code` of the error of a connection that is not allowed. */
export const PROHIBITED = 'ERR_ADDRESS_PROHIBITED';

/** What a request is dispatched with besides: it is given what ends its waiting for a connection. */
export interface CancellableOptions extends Agent.DispatchOptions {
  onClient(cancel: (error: Error) => void): void;
}

/** As undici makes it: its connectors give the socket that connects, which their type does not say. */
type Connect = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket | undefined;

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

function prohibited(): Error {
  return Object.assign(new Error('the address is not a public one'), { code: PROHIBITED });
}

/** Looks a name up and gives only addresses of the public internet. */
function lookupPublic(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, []);
      return;
    }
    const allowed = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = allowed;
    if (first === undefined) callback(prohibited(), []);
    else if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
}

/** Connects to public addresses only, whatever led there: names are checked as they are looked up, addresses here. */
function connectPublic(timeoutMs: number): Connect {
  const connect = buildConnector({ timeout: timeoutMs, lookup: lookupPublic }) as Connect;
  return (options, callback) => {
    const literal = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) === 0 || isPublicAddress(literal)) return connect(options, callback);
    callback(prohibited(), null);
    return undefined;
  };
}

/** Connects for one client, which has one request at a time: undici itself ends none before it is connected for it. */
class Connector {
  readonly #connectSocket: Connect;
  #socket: Socket | undefined = undefined;
  #cancelled: Error | undefined = undefined;

  constructor(connectSocket: Connect) {
    this.#connectSocket = connectSocket;
  }

  readonly connect = (options: buildConnector.Options, callback: buildConnector.Callback): void => {
    if (this.#cancelled !== undefined) {
      callback(this.#cancelled, null);
      return;
    }
    this.#socket = this.#connectSocket(options, (...connected) => {
      this.#socket = undefined;
      callback(...connected);
    });
  };

  readonly cancel = (error: Error): void => {
    this.#cancelled = error;
    this.#socket?.destroy(error);
  };

  /** The client has its next request. */
  begin(): void {
    this.#cancelled = undefined;
  }
}

class CancellableClient extends Client {
  readonly #connector: Connector;

  constructor(origin: URL, connector: Connector) {
    super(origin, { connect: connector.connect });
    this.#connector = connector;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#connector.begin();
    (options as CancellableOptions).onClient(this.#connector.cancel);
    return super.dispatch(options, handler);
  }
}

function createAgent(connect: Connect): Agent {
  const client = (origin: URL): Client => new CancellableClient(origin, new Connector(connect));
  return new Agent({ factory: (origin) => new Pool(origin, { factory: client }) });
}

// Connections made under one grant must not serve another.
const agents = new Map<string, Agent>();

/** Guests choose among few: each has an agent with connections of its own. Rounds up to a power of two. */
function roundTimeout(connectMs: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(MIN_CONNECT_MS, connectMs)));
}

/** The agent whose connections were made under this grant. */
export function agentFor(isPrivateGranted: boolean, connectMs: number): Agent {
  const timeoutMs = roundTimeout(connectMs);
  const key = `${String(isPrivateGranted)} ${timeoutMs}`;
  let agent = agents.get(key);
  if (agent === undefined) {
    agent = createAgent(
      isPrivateGranted ? (buildConnector({ timeout: timeoutMs }) as Connect) : connectPublic(timeoutMs),
    );
    agents.set(key, agent);
  }
  return agent;
}
