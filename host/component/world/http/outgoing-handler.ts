/** `wasi:http/outgoing-handler`, of which nothing is granted: every request is refused, whatever it asks for. */

import { WasiError } from '../../guest-stop.ts';
import type { Host } from '../host.ts';
import type { FutureIncomingResponse, OutgoingRequest, RequestOptions } from './outgoing.ts';

export type OutgoingHandler = (request: OutgoingRequest, options: RequestOptions | undefined) => FutureIncomingResponse;

export function createOutgoingHandler(host: Host): OutgoingHandler {
  return () => {
    host.enter();
    host.deny('http');
    throw new WasiError({ tag: 'HTTP-request-denied' });
  };
}
