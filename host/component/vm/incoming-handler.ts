/** Hands a request to `wasi:http/incoming-handler`, and sees to it that it is answered. */

import { UTF8_ENCODER } from '../../bytes.ts';
import type { HandlerEntry } from '../../component-entry.ts';
import { Ring, RING } from '../channel/ring.ts';
import type { Host } from '../world/host.ts';
import { wholeSource, ChannelSource } from '../world/http/request-source.ts';
import { sinkOf } from '../world/http/response-sink.ts';
import type { SuspendableEntry } from './entering.ts';
import { requireSettled } from './settled.ts';
import type { BodySource } from '../world/http/bodies.ts';
import { IncomingRequest, ResponseOutparam } from '../world/http/incoming.ts';

/** `wasi:http/incoming-handler`. */
export interface Handler {
  readonly handle: (request: IncomingRequest, outparam: ResponseOutparam) => unknown;
}

/** The exit code of a guest that answered a request with an error-code, or not at all; its stderr says which. */
const NO_RESPONSE = 1;

/** Has the guest answer one request; a guest that does not is stopped with exit code 1. */
export function handleRequest(host: Host, entry: HandlerEntry, handle: Handler['handle']): void {
  const { request, outparam } = given(host, entry);
  try {
    requireSettled(handle(request, outparam));
    conclude(host, outparam);
  } finally {
    cutOff(entry);
  }
}

/**
 * The same of a guest that can be suspended: the glue calls the handler for its arguments alone.
 */
export async function handleSuspendable(
  host: Host,
  entry: HandlerEntry,
  handle: Handler['handle'],
  { capture, enter }: SuspendableEntry,
): Promise<void> {
  const { request, outparam } = given(host, entry);
  try {
    await enter(capture(() => void requireSettled(handle(request, outparam))));
    conclude(host, outparam);
  } finally {
    cutOff(entry);
  }
}

interface Given {
  readonly request: IncomingRequest;
  readonly outparam: ResponseOutparam;
}

function given(host: Host, entry: HandlerEntry): Given {
  const { channel, isStreamed, request } = entry;
  const source =
    channel !== undefined && isStreamed ? new ChannelSource(host, channel) : wholeSource(host.input, entry.trailers);
  const outparam = new ResponseOutparam(
    host,
    request.method,
    sinkOf(entry, (sink) => host.wait([sink])),
  );
  return { request: new IncomingRequest(host, request, counted(host, source)), outparam };
}

function conclude(host: Host, { outcome }: ResponseOutparam): void {
  if (outcome?.error === undefined && outcome !== undefined) return;
  const reason = outcome === undefined ? 'no response' : `the error-code ${outcome.error}`;
  note(host, `the component answered the request with ${reason}`);
  host.stop({ kind: 'exit', exitCode: NO_RESPONSE });
}

/** A body that was not finished is cut off, so that nobody takes it for whole. */
function cutOff({ channel }: HandlerEntry): void {
  if (channel !== undefined) new Ring(channel, 'response').close(RING.broken);
}

function note(host: Host, text: string): void {
  const bytes = UTF8_ENCODER.encode(`${text}\n`);
  host.stderr.append(bytes, 0, bytes.length);
}

function counted(host: Host, source: BodySource): BodySource {
  return {
    isReady: () => source.isReady(),
    isClients: source.isClients === true,
    trailers: () => source.trailers(),
    take(most) {
      const bytes = source.take(most);
      host.readBody(bytes?.length ?? 0);
      return bytes;
    },
  };
}
