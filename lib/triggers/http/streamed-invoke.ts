/** `POST /invoke/:name` with `Nebula-Stream`: both bodies travel while the guest runs, and how it ended is told in trailers. */

import { NO_BYTES } from '../../../host/bytes.ts';
import type { Outcome } from '../../../host/outcome.ts';
import type { StreamedInvocation } from '../../api/nebula.ts';
import type { FunctionRecord } from '../../schema/function-record.ts';
import { outcomeFields, showsFailures } from '../../wire/outcome.ts';
import type { Answer, Exchange } from './exchange.ts';
import { askerOf } from './function-requests.ts';
import { guestFailureAnswer, lossOf, type Asker } from './outcome-answer.ts';
import type { RouteContext } from './route.ts';

/** The field, in lower case, of a request whose bodies are to be streamed; whatever it says. */
export const STREAM_FIELD = 'nebula-stream';

/** Answers once the guest has written something, or has ended. @throws NebulaError */
export async function invokeStreamed(context: RouteContext, exchange: Exchange, name: string): Promise<Answer> {
  const { nebula } = context;
  const record = nebula.get(name);
  const asker = askerOf(context, exchange);
  let call: StreamedInvocation | undefined;
  try {
    const input = exchange.hasBody ? exchange.bodyStream() : NO_BYTES;
    call = await nebula.stream(name, input, { signal: exchange.signal });
    const first = await call.stdout.next();
    return answerOf(record, asker, call, first.done === true ? undefined : first.value);
  } catch (error) {
    const outcome = await call?.outcome.catch(() => undefined);
    if (outcome !== undefined && outcome.kind !== 'ok') return guestFailureAnswer(record, outcome, asker);
    throw lossOf(record, error, asker);
  }
}

function answerOf(
  record: FunctionRecord,
  asker: Asker,
  { stdout, outcome }: StreamedInvocation,
  first: Uint8Array | undefined,
): Answer {
  let ended: Outcome | undefined;
  outcome.then(
    (known) => (ended = known),
    () => undefined,
  );
  const trailers = (): [string, string][] => {
    if (ended === undefined) return [];
    const fields = outcomeFields(record, ended, showsFailures(record) || asker.mayManage());
    return fields.flatMap((field, at): [string, string][] => (at % 2 === 0 ? [[field, fields[at + 1] ?? '']] : []));
  };
  // A client that does not read would not notice that its guest was stopped.
  const onCut = (listener: () => void): void =>
    void outcome.then(
      ({ kind }) => kind === 'aborted' && listener(),
      () => undefined,
    );
  const headers = [
    'Content-Type',
    record.manifest.http?.contentType ?? 'application/octet-stream',
    // The guest chooses the bytes: a browser must not guess a type that runs them.
    'X-Content-Type-Options',
    'nosniff',
    'Nebula-Function-Version',
    String(record.version),
  ];
  return { status: 200, headers, body: NO_BYTES, stream: { body: withFirst(first, stdout), trailers, onCut } };
}

async function* withFirst(
  first: Uint8Array | undefined,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (first !== undefined) yield first;
    yield* rest;
  } finally {
    await rest.return();
  }
}
