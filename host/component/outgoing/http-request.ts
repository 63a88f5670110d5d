/** One request of a guest as undici makes it, its bodies at the pace of who reads them. */

import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { HeaderList } from '../../http-message.ts';
import { agentFor, type CancellableOptions } from './agents.ts';
import { BODY_SIZE, httpErrorCode } from './http-error-code.ts';
import { chargedBytes, type HttpAnswer, type HttpMessage, type HttpStart, WINDOW_BYTES } from './messages.ts';

type Controller = Dispatcher.DispatchController;

/** What the request's guest is told, and who is told that it is over. */
export interface HttpRequestEvents {
  onAnswer(answer: HttpAnswer): void;
  onOver(): void;
}

/** A request from its start to its last answer. */
export class HttpRequest implements Dispatcher.DispatchHandler {
  readonly #start: HttpStart;
  readonly #events: HttpRequestEvents;
  #controller: Controller | undefined;
  /** Ends its waiting for a connection. */
  #cancel: ((error: Error) => void) | undefined;
  #turnTimer: NodeJS.Timeout | undefined;
  #isAborted = false;
  #isOver = false;
  /** Pieces of its body that are still to be sent, and whether all have come. */
  readonly #pieces: Uint8Array[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;
  /** Bytes of the response that have come, and what those count that its guest has not taken. */
  #totalBytes = 0;
  #underWayBytes = 0;

  constructor(start: HttpStart, events: HttpRequestEvents) {
    this.#start = start;
    this.#events = events;
  }

  /** It waits for its turn, as long as for a connection. */
  waitForTurn(): void {
    this.#turnTimer = setTimeout(() => this.#fail(tooLate()), this.#start.timeouts.connectMs);
  }

  /** Sends it. */
  run(): void {
    clearTimeout(this.#turnTimer);
    const { origin, path, method, headers, hasBody, timeouts, isPrivateGranted } = this.#start;
    const body = hasBody ? Readable.from(this.#body()) : null;
    const { headMs: headersTimeout, betweenBytesMs: bodyTimeout } = timeouts;
    const asked: CancellableOptions = {
      origin,
      path,
      method,
      headers: headers.flat(),
      body,
      headersTimeout,
      bodyTimeout,
      onClient: (cancel) => (this.#cancel = cancel),
    };
    try {
      agentFor(isPrivateGranted, timeouts.connectMs).dispatch(asked, this);
    } catch (error) {
      this.#fail(error);
    }
  }

  accept(message: HttpMessage): void {
    if (message.op === 'data') this.#pieces.push(message.bytes);
    else if (message.op === 'end') this.#isEnded = true;
    else if (message.op === 'taken') this.#take(message.count);
    else if (message.op === 'abort') this.abort();
    this.#wake?.();
  }

  /** Ends it, also while it connects; its guest wants to know no more of it. */
  abort(): void {
    if (this.#isAborted || this.#isOver) return;
    this.#isAborted = true;
    const error = aborted();
    if (this.#controller !== undefined) this.#controller.abort(error);
    else this.#cancel?.(error);
    this.#fail(error);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#isAborted) controller.abort(aborted());
  }

  onResponseStart(_: Controller, status: number, headers: IncomingHttpHeaders): void {
    // What comes before the response itself: 100, 103.
    if (status >= 200) this.#events.onAnswer({ kind: 'head', id: this.#start.id, status, headers: toList(headers) });
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    const { id, bodyBytes } = this.#start;
    this.#totalBytes += chunk.length;
    if (this.#totalBytes > bodyBytes) {
      controller.abort(Object.assign(new Error('the body is too large'), { code: BODY_SIZE }));
      return;
    }
    this.#underWayBytes += chargedBytes(chunk);
    // A copy: what it is a view of, a socket's buffer, would be sent along whole.
    this.#events.onAnswer({ kind: 'data', id, bytes: new Uint8Array(chunk) });
    if (this.#underWayBytes >= WINDOW_BYTES) controller.pause();
  }

  onResponseEnd(_: Controller, trailers: IncomingHttpHeaders): void {
    const list = toList(trailers);
    this.#end({ kind: 'end', id: this.#start.id, trailers: list.length === 0 ? undefined : list });
  }

  onResponseError(_: Controller, error: Error): void {
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#end({ kind: 'error', id: this.#start.id, code: httpErrorCode(error) });
  }

  #end(answer: HttpAnswer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // The client has another request from now on.
    this.#cancel = undefined;
    clearTimeout(this.#turnTimer);
    this.#wake?.();
    this.#events.onAnswer(answer);
    this.#events.onOver();
  }

  #take(count: number): void {
    this.#underWayBytes -= count;
    if (this.#controller?.paused === true && this.#underWayBytes < WINDOW_BYTES) this.#controller.resume();
  }

  async *#body(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        yield piece;
        this.#events.onAnswer({ kind: 'sent', id: this.#start.id, count: chargedBytes(piece) });
      } else if (this.#isEnded || this.#isAborted || this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function aborted(): Error {
  return new Error('its guest has given it up');
}

function tooLate(): Error {
  return Object.assign(new Error('its turn has not come in time'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
}

function toList(headers: IncomingHttpHeaders): HeaderList {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((each): [string, string] => [name, each]),
  );
}
