/**
 * Receives a request's body before a thread is taken for it, so that a client that is slow to send holds none. A body that
 * goes on after its buffer is full, or whose client pauses, as in a conversation, is streamed from there on.
 */

import type { HeaderList } from '../../host/http-message.ts';
import { NebulaError } from '../../host/errors.ts';
import { GatheredBytes } from '../../host/gathered-bytes.ts';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import type { Limits } from '../../host/limits.ts';

/** A request's body: whole, or as it comes, with the trailers that are known at its end. */
export type RequestBody = Uint8Array | RequestStream;

/** A request's body as it comes. */
export interface RequestStream extends AsyncIterable<Uint8Array> {
  trailers?(): HeaderList | undefined;
}

/** A body that is all there, or the one that is still to come: what was received of it comes first. */
export type Received =
  | { readonly whole: Uint8Array; readonly trailers: HeaderList | undefined }
  | { readonly whole?: undefined; readonly rest: RequestStream };

/** A client that sends nothing for this long waits for an answer, or is slow: it cannot be told which. */
const PAUSE_MS = 100;

type Piece = IteratorResult<Uint8Array, unknown>;

/** @throws NebulaError INPUT_TOO_LARGE, CLIENT_CLOSED; what the body throws */
export async function receive(
  body: RequestStream,
  { bufferBytes, inputBytes }: Pick<Limits, 'bufferBytes' | 'inputBytes'>,
  signal: AbortSignal | undefined,
): Promise<Received> {
  if (bufferBytes === 0) return { rest: body };
  const pieces = body[Symbol.asyncIterator]();
  const gathered = new GatheredBytes();
  const pause = new Pause(signal);
  try {
    while (gathered.sizeBytes <= bufferBytes) {
      const coming = pieces.next();
      const piece = await pause.orElse(coming);
      if (piece === undefined)
        return { rest: { ...trailersOf(body), [Symbol.asyncIterator]: () => resume(gathered, coming, pieces) } };
      if (piece.done === true) return { whole: gathered.whole(), trailers: body.trailers?.() };
      gathered.add(piece.value);
      if (gathered.sizeBytes > inputBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes: inputBytes });
    }
    return { rest: { ...trailersOf(body), [Symbol.asyncIterator]: () => resume(gathered, undefined, pieces) } };
  } catch (error) {
    // Whoever sends it need not go on. It may be in the middle of a piece, which is not waited for.
    pieces.return?.().then(undefined, () => undefined);
    throw error;
  } finally {
    pause.end();
  }
}

function trailersOf(body: RequestStream): Pick<RequestStream, 'trailers'> {
  return body.trailers === undefined ? {} : { trailers: () => body.trailers?.() };
}

async function* resume(
  received: GatheredBytes,
  coming: Promise<Piece> | undefined,
  pieces: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* received.pieces();
  try {
    for (let next = coming ?? pieces.next(); ; next = pieces.next()) {
      const piece = await next;
      if (piece.done === true) return;
      yield piece.value;
    }
  } finally {
    pieces.return?.().then(undefined, () => undefined);
  }
}

/** Waits for pieces until none comes for a while, or nobody wants them any more. */
class Pause {
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #isOver = false;
  #isAborted = false;
  /** Ends the waiting for the piece that is waited for. */
  #end: (() => void) | undefined;
  readonly #onAbort = (): void => {
    this.#isAborted = true;
    this.#end?.();
  };

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#end?.();
    }, PAUSE_MS);
    if (signal?.aborted === true) this.#onAbort();
    if (signal !== undefined) watchAbort(signal, this.#onAbort);
  }

  /** The piece, or undefined when it does not come in time. @throws NebulaError CLIENT_CLOSED */
  orElse(coming: Promise<Piece>): Promise<Piece | undefined> {
    this.#timer.refresh();
    // A race with one promise for all pieces would keep something of each until it is over.
    return new Promise((resolve, reject) => {
      this.#end = () => {
        if (this.#isAborted) reject(new NebulaError('CLIENT_CLOSED'));
        else if (this.#isOver) resolve(undefined);
      };
      coming.then(resolve, reject);
      this.#end();
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#end = undefined;
    if (this.#signal !== undefined) unwatchAbort(this.#signal, this.#onAbort);
  }
}
