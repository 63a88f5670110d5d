/** wasi:http as a component imports it. Source: WASI 0.2, wasi:http/types and outgoing-handler. */

import type { Imports } from '../interfaces.ts';
import type { Host } from '../host.ts';
import { InputStream, IoError, OutputStream, Pollable } from '../io.ts';
import { FutureTrailers, IncomingBody, OutgoingBody } from './bodies.ts';
import { Fields } from './fields.ts';
import { IncomingRequest, OutgoingResponse, ResponseOutparam } from './incoming.ts';
import { FutureIncomingResponse, IncomingResponse, OutgoingRequest, RequestOptions } from './outgoing.ts';
import { createOutgoingHandler } from './outgoing-handler.ts';

const TYPES: object = {
  Fields,
  FutureIncomingResponse,
  FutureTrailers,
  IncomingBody,
  IncomingRequest,
  IncomingResponse,
  OutgoingBody,
  OutgoingRequest,
  OutgoingResponse,
  RequestOptions,
  ResponseOutparam,
  InputStream,
  OutputStream,
  Pollable,
  IoError,
  Error: IoError,
  httpErrorCode: (error: IoError) => (typeof error.code === 'object' ? error.code : undefined),
};

/** The interfaces of wasi:http. */
export function createHttp(host: Host): Imports {
  const handler = Object.create(TYPES, { handle: { value: createOutgoingHandler(host) } }) as object;
  return { 'wasi:http/types': TYPES, 'wasi:http/outgoing-handler': handler };
}
