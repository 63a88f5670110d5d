/** `POST /invoke/:name` straight from node:http: what the routes do for it, without an Exchange, a URL or a Promise of its own. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome } from '../../../host/outcome.ts';
import type { FunctionRecord } from '../../schema/function-record.ts';
import type { Nebula } from '../../api/nebula.ts';
import { NAME_PATTERN } from '../../schema/manifest.ts';
import { toInputError } from './exchange.ts';
import { NodeCall, type CallContext } from './node-call.ts';
import { senderOf } from './node-exchange.ts';
import { lossOf, outcomeAnswer, type Asker } from './outcome-answer.ts';
import type { Router } from './router.ts';
import { STREAM_FIELD } from './streamed-invoke.ts';

const PREFIX = '/invoke/';

// Names that need no decoding; anything else goes the general way, which knows what to say of it.
const PLAIN_NAME = new RegExp(NAME_PATTERN);

/** What calls need to be answered. */
export interface InvokeContext extends CallContext {
  readonly nebula: Nebula;
  readonly router: Router;
}

/** The function a request invokes, or undefined when the request is not a plain `POST /invoke/:name` with bodies that are whole. */
export function invokedName(request: IncomingMessage): string | undefined {
  const { method, url = '' } = request;
  if (method !== 'POST' || !url.startsWith(PREFIX) || request.headers[STREAM_FIELD] !== undefined) return undefined;
  const name = url.slice(PREFIX.length);
  return PLAIN_NAME.test(name) ? name : undefined;
}

/** One `POST /invoke/:name`. */
export class InvokeCall extends NodeCall implements Asker {
  readonly #context: InvokeContext;
  readonly #name: string;

  constructor(
    context: InvokeContext,
    name: string,
    message: { request: IncomingMessage; response: ServerResponse; expectsContinue: boolean },
  ) {
    super(context, message.request, message.response, message.expectsContinue);
    this.#context = context;
    this.#name = name;
  }

  /** Reads the input, runs the function and answers. */
  start(): void {
    try {
      this.read(this.#context.nebula.get(this.#name).limits.inputBytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  protected override onBody(input: Uint8Array): void {
    const { nebula } = this.#context;
    let record: FunctionRecord;
    let running: Promise<Outcome>;
    try {
      record = nebula.get(this.#name);
      running = nebula.invoke(this.#name, input, { signal: this.signal, requestId: this.requestId });
    } catch (error) {
      this.#fail(error);
      return;
    }
    running.then(
      (outcome) => this.#finish(record, outcome),
      (error: unknown) => this.#fail(lossOf(record, error, this)),
    );
  }

  protected override onBodyFailure(error: unknown): void {
    this.#fail(toInputError(error));
  }

  /** Whether the client may manage functions. */
  mayManage(): boolean {
    return this.#context.router.mayManage(senderOf(this.request));
  }

  #finish(record: FunctionRecord, outcome: Outcome): void {
    const answer = outcomeAnswer(record, outcome, this);
    this.#context.router.tally.count(this.isDisconnected ? 499 : answer.status);
    this.send(answer);
  }

  #fail(error: unknown): void {
    this.send(this.#context.router.fail(error, this.requestId));
  }
}
