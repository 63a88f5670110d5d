/** What is sent to a worker: into the box of shared memory where it fits, else over the port, which also wakes the worker. */

import type { MessagePort } from 'node:worker_threads';
import { messageOf } from '../../host/errors.ts';
import { REQUESTS_LEFT, type Installation, type InvokeRequest, type Refusal } from './messages.ts';
import { type HandlerRecord, INPUT_BYTES, type RequestBox } from './request-box.ts';
import { channelOfRequest, SentChannels } from './sent-channels.ts';

/** What a worker is asked to run. */
export interface Sending {
  readonly id: string;
  readonly input: Uint8Array;
  readonly calledNs: number;
  readonly given: InvokeRequest[6];
  /** The function, if the worker does not have it. */
  readonly install: Installation | undefined;
}

/** The invocations of one worker on their way there. */
export class Outbox {
  readonly #port: MessagePort;
  readonly #requests: RequestBox;
  /** Told when an invocation cannot cross a thread. */
  readonly #onUnsent: (refusal: Refusal, id: string, broughtFunction: boolean) => void;
  /** Functions that the worker knows by a number. */
  readonly #numbers: Map<string, number> = new Map();
  #numbered = 0;
  readonly #channels: SentChannels = new SentChannels();
  #isClosed = false;
  /** Whether the worker is to be called when this turn of the event loop ends. */
  #callsLater = false;
  /** Calls the worker now if it is to be called later. */
  readonly callWaiting = (): void => {
    if (!this.#callsLater) return;
    this.#callsLater = false;
    if (!this.#isClosed) this.#call();
  };

  constructor(
    port: MessagePort,
    requests: RequestBox,
    onUnsent: (refusal: Refusal, id: string, broughtFunction: boolean) => void,
  ) {
    this.#port = port;
    this.#requests = requests;
    this.#onUnsent = onUnsent;
  }

  /** Sends an invocation, perhaps behind another one that is not answered. */
  send(slot: number, ticket: number, what: Sending, isBehind: boolean): void {
    const functionNumber = this.#numbers.get(what.id);
    const { given } = what;
    const handler = given === undefined ? undefined : this.#handlerOf(given, what.input);
    if (functionNumber !== undefined && fits(what, handler)) {
      this.#requests.leave(slot, ticket, functionNumber, what, handler);
    } else if (!this.#post(slot, ticket, what)) return;
    // A call costs more than most guests: the first of a turn is made at once, and those that follow it share one.
    if (isBehind) this.#callLater();
    else this.#call();
  }

  /** The worker is to forget a function. */
  forget(id: string): void {
    this.#numbers.delete(id);
  }

  /** Calls the worker no more. */
  close(): void {
    this.#isClosed = true;
  }

  #callLater(): void {
    if (this.#callsLater || !this.#requests.isAsleep) return;
    this.#callsLater = true;
    setImmediate(this.callWaiting);
  }

  #call(): void {
    if (this.#requests.mustCall()) this.#port.postMessage(REQUESTS_LEFT);
  }

  /** What is given, where it is a request whose channel the worker has and whose head fits into a record beside the input. */
  #handlerOf(given: NonNullable<InvokeRequest[6]>, input: Uint8Array): HandlerRecord | undefined {
    for (const key in given) if (key !== 'component') return undefined;
    const { component } = given;
    const channel = channelOfRequest(component);
    const channelNumber = channel === undefined ? undefined : this.#channels.numberOf(channel);
    if (channelNumber === undefined || component?.kind !== 'handler') return undefined;
    const head = JSON.stringify(component.request);
    return Buffer.byteLength(head) + input.length > INPUT_BYTES ? undefined : { head, channelNumber };
  }

  #post(slot: number, ticket: number, { id, input, calledNs, given, install }: Sending): boolean {
    const functionNumber = this.#numbers.get(id) ?? this.#numbered++;
    // A view of a larger buffer would carry all of it across.
    const own = input.length === input.buffer.byteLength ? input : new Uint8Array(input);
    const channel = channelOfRequest(given?.component);
    const channelNumber = channel === undefined ? undefined : this.#channels.add(channel);
    const request: InvokeRequest = [slot, ticket, id, functionNumber, own, calledNs, given, install, channelNumber];
    try {
      this.#port.postMessage(request);
    } catch (error) {
      if (channel !== undefined) this.#channels.forget(channel);
      const detail = messageOf(error);
      const refusal: Refusal = { ok: false, ticket, failure: undefined, detail, isUnsent: true };
      this.#onUnsent(refusal, id, install !== undefined);
      return false;
    }
    this.#numbers.set(id, functionNumber);
    this.#requests.leavePosted(slot, ticket);
    return true;
  }
}

/** Whether the request box can hold it. A view whose buffer was given away has no bytes, and is left to be refused. */
function fits({ input, given, install }: Sending, handler: HandlerRecord | undefined): boolean {
  if ((given !== undefined && handler === undefined) || install !== undefined || input.length > INPUT_BYTES)
    return false;
  return input.length > 0 || !isDetached(input.buffer);
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}
