/** Answers to requests that no route is asked about: HTTP itself cannot make sense of them, or this server never does them. */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { InvokeContext } from './invoke-call.ts';
import { connectionOf, NodeCall } from './node-call.ts';
import type { Message } from './node-exchange.ts';
import { PROBLEM_TYPE, titleOf, toMalformedRequestProblem } from '../../wire/problem.ts';
import { malformedRequestAnswer } from './problem-answer.ts';
import type { ResponseTally } from './response-tally.ts';

/** Time a client gets to read what was wrong with its request. */
const LINGER_MS = 1000;

/** Statuses for what node:http reports through `clientError`; anything else is 400. */
const MALFORMED_STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

class RefusedCall extends NodeCall {
  protected override onBody(): void {}
  protected override onBodyFailure(): void {}
}

/** Answers with a problem, and counts it. */
export function refuse(
  context: InvokeContext,
  { request, response, expectsContinue }: Message,
  status: number,
  detail?: string,
): void {
  context.router.tally.count(status);
  const call = new RefusedCall(context, request, response, expectsContinue);
  call.send(malformedRequestAnswer(status, detail));
}

/** Answers what the parser cannot read, only where no other answer is due first: the client could not tell them apart. */
export function refuseUnreadable(error: Error, socket: Socket): void {
  const { code = '' } = error as NodeJS.ErrnoException;
  const calls = [...connectionOf(socket)];
  const isAnswerable = calls.length <= 1 && calls.every((call) => call.isReading);
  if (!socket.writable || code === 'ECONNRESET' || !isAnswerable) {
    socket.destroy();
    return;
  }
  for (const call of calls) call.disconnect();
  endWith(socket, MALFORMED_STATUSES[code] ?? 400);
}

/** Answers CONNECT, whose target is an authority: this is no proxy. Source: RFC 9112, section 3.2.3. */
export function refuseTunnel(tally: ResponseTally, _request: IncomingMessage, socket: Socket): void {
  // node:http has let go of the socket, its errors included.
  socket.on('error', () => socket.destroy());
  if (connectionOf(socket).size > 0 || !socket.writable) {
    socket.destroy();
    return;
  }
  tally.count(501);
  endWith(socket, 501, 'CONNECT asks for a tunnel, and this server is no proxy');
}

function endWith(socket: Socket, status: number, detail?: string): void {
  const body = JSON.stringify(toMalformedRequestProblem(status, detail));
  socket.end(
    `HTTP/1.1 ${status} ${titleOf(status)}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
