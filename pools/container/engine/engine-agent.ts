/**
 * Keeps connections to the engine open between requests, tells answers that are cut off, and measures how long the engine takes for each: from when a
 * request is handed to its connection to the end of the answer (the head, where the connection is taken over).
 */

import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { monotonicNs } from '../../../host/monotonic.ts';
import type { RequestTimes } from './engine.ts';

/** What Node's Agent does with a request, which its types leave out. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: object): void;
}

const agents = Agent.prototype as unknown as RequestTaker;

const CREATE = /\/containers\/create\?(?:.*&)?name=([\w.-]+)/;
const CONTAINER = /\/containers\/([\w.-]+)(?:\/(attach|start|wait))?(?:\?|$)/;

/** The agent of an engine's HTTP requests. */
export class EngineAgent extends Agent implements RequestTaker {
  /** By the container's name. */
  readonly #watched: Map<string, RequestTimes> = new Map();

  constructor() {
    super({ keepAlive: true });
    // dockerode's modem inspects its options in full before each request, which would walk through every socket here.
    Object.defineProperty(this, inspect.custom, { value: () => 'EngineAgent' });
  }

  /** Has the times of all requests for a container written to `times`. */
  watch(container: string, times: RequestTimes): void {
    this.#watched.set(container, times);
  }

  unwatch(container: string): void {
    this.#watched.delete(container);
  }

  addRequest(request: ClientRequest, options: object): void {
    const found = requestOf(request);
    const times = found === undefined ? undefined : this.#watched.get(found.container);
    if (found !== undefined && times !== undefined) measure(request, found.action, times);
    request.once('response', (response) => failWhenCut(request, response));
    agents.addRequest.call(this, request, options);
  }
}

/** dockerode's modem waits for the end of an answer only, and would wait for ever for one that is cut off. */
function failWhenCut(request: ClientRequest, response: IncomingMessage): void {
  response.once('close', () => {
    if (response.complete) return;
    request.emit('error', new Error('the engine closed the connection before the end of its answer'));
  });
}

function requestOf(request: ClientRequest): { container: string; action: keyof RequestTimes } | undefined {
  const created = CREATE.exec(request.path)?.[1];
  if (created !== undefined) return { container: created, action: 'create' };
  const [, container, action] = CONTAINER.exec(request.path) ?? [];
  if (container === undefined) return undefined;
  if (action !== undefined) return { container, action: action as keyof RequestTimes };
  return request.method === 'DELETE' ? { container, action: 'remove' } : undefined;
}

function measure(request: ClientRequest, action: keyof RequestTimes, times: RequestTimes): void {
  let sentNs = 0;
  const answered = (): void => {
    times[action] = monotonicNs() - sentNs;
  };
  request.once('socket', () => {
    sentNs = monotonicNs();
  });
  request.once('upgrade', answered);
  request.once('response', (response: IncomingMessage) => response.once('end', answered));
}
