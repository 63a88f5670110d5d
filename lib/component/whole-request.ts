/** A request to a guest in the caller's own thread: nothing else happens while it runs, so nothing is streamed. */

import type { ResponseSink } from '../../host/component-entry.ts';
import type { HeaderList, RequestHead, ResponseHead } from '../../host/http-message.ts';
import { NebulaError } from '../../host/errors.ts';
import { GatheredBytes } from '../../host/gathered-bytes.ts';
import { type ComponentResponse, type Target, WHOLE_BYTES } from './target.ts';
import type { RequestBody } from './reception.ts';
import { GuestEnded, givenUp } from './guest-ended.ts';

/**
 * Reads the whole body, runs the guest to its end and answers with what it made of it, `outputBytes` at most.
 * @throws GuestEnded; NebulaError INPUT_TOO_LARGE; what `invoke` throws
 */
export async function sendWhole(
  target: Target,
  request: RequestHead,
  body: RequestBody,
  signal: AbortSignal,
): Promise<ComponentResponse> {
  const input = await readWhole(body, target.limits.inputBytes);
  const sink = new MemorySink(target.limits.outputBytes);
  const trailers = body instanceof Uint8Array ? undefined : body.trailers?.();
  const component = { kind: 'handler', request, isStreamed: false, trailers, sink } as const;
  const outcome = await target.invoke({ input, component }, signal);
  const { received } = sink;
  if (sink.isGivenUp) throw givenUp(target.name);
  if (received === undefined || !sink.isWhole) throw new GuestEnded(target.name, outcome);
  const whole = sink.whole();
  return {
    ...received,
    whole,
    body: sink.read(),
    trailers: () => sink.receivedTrailers,
    outcome: Promise.resolve(outcome),
  };
}

async function readWhole(body: RequestBody, limitBytes: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const gathered = new GatheredBytes();
  for await (const chunk of body) {
    gathered.add(chunk);
    if (gathered.sizeBytes > limitBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes });
  }
  return gathered.whole();
}

/** A piece that fits is taken whole, so that a body that does not fit is closed and never cut. */
const PIECE_BYTES = 65_536;

class MemorySink implements ResponseSink {
  received: ResponseHead | undefined = undefined;
  receivedTrailers: HeaderList | undefined = undefined;
  isWhole = false;
  isGivenUp = false;
  readonly #limitBytes: number;
  readonly #body: GatheredBytes = new GatheredBytes();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  head(head: ResponseHead): void {
    this.received = head;
  }

  room(): number | undefined {
    const left = this.#limitBytes - this.#body.sizeBytes;
    return left > 0 ? Math.min(left, PIECE_BYTES) : undefined;
  }

  piece(bytes: Uint8Array): void {
    this.#body.add(bytes.slice());
  }

  trailers(trailers: HeaderList): void {
    this.receivedTrailers = trailers;
  }

  end(): void {
    this.isWhole = true;
  }

  giveUp(): void {
    this.isGivenUp = true;
  }

  /** The body, where it is small. */
  whole(): Uint8Array | undefined {
    return this.#body.sizeBytes > WHOLE_BYTES ? undefined : this.#body.whole();
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.#body.pieces();
  }
}
