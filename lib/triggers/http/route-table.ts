/** Every route. The router, /openapi.json and the test of docs/http.md go by this table. */

import { Type } from 'typebox';
import { NO_BYTES } from '../../../host/bytes.ts';
import { isNebulaError, messageOf, NebulaError } from '../../../host/errors.ts';
import { functionRecordSchema } from '../../schema/function-record.ts';
import { logRecordSchema } from '../../schema/log-record.ts';
import { manifestSchema } from '../../schema/manifest.ts';
import { toManifestJson } from '../../wire/manifest-json.ts';
import { readDeployment } from './deployment.ts';
import { readInput, type Answer, type Exchange } from './exchange.ts';
import { LOG_QUERY, serveLogs } from './logs.ts';
import { lossOf, outcomeAnswer } from './outcome-answer.ts';
import { invokeStreamed, STREAM_FIELD } from './streamed-invoke.ts';
import { BASE64, BYTES, inJson, type AnswerSchema, type Route, type RouteContext, type RouteSchema } from './route.ts';
import { askerOf, serveFunction } from './function-requests.ts';

const RECORD = functionRecordSchema;

/** What a call may fail with. */
const CALL_PROBLEMS = [403, 404, 408, 413, 499, 502, 503, 504] as const;

function health(description: string, status: string): AnswerSchema {
  return inJson(description, Type.Object({ status: Type.Literal(status) }));
}

const INVOKE: RouteSchema = {
  summary: 'Run a function once: the body is its stdin, the answer its stdout',
  fields: { 'Nebula-Stream': 'whatever it says: both bodies travel while the guest runs; how it ended is in trailers' },
  body: { '*/*': BYTES },
  answers: { 200: { description: 'Its stdout', mediaType: '*/*', schema: BYTES, hasOutcome: true } },
  problems: CALL_PROBLEMS,
};

const SERVE: RouteSchema = {
  summary: 'A function as a CGI/1.1 program (RFC 3875) or wasi:http component; what follows the name is its path',
  body: { '*/*': BYTES },
  answers: { default: { description: 'What the function answered', hasOutcome: true } },
  problems: CALL_PROBLEMS,
};

const DEPLOY: RouteSchema = {
  summary: 'Deploy a function, or a new version of one',
  fields: {
    'Nebula-Manifest': 'with application/wasm: the manifest as percent-encoded JSON; name may be left out',
  },
  body: {
    'application/wasm': BYTES,
    'application/json': Type.Object(
      {
        manifest: Type.Optional(manifestSchema),
        module: BASE64,
        snapshot: Type.Optional({
          ...BASE64,
          description: 'what "nebula snapshot" wrote of this module; its initialisation is then not run',
        }),
      },
      { additionalProperties: false },
    ),
  },
  isBodyRequired: true,
  answers: { 200: inJson('A new version', RECORD), 201: inJson('A new function', RECORD) },
  problems: [401, 403, 408, 409, 413, 415, 422, 499, 503],
};

const LOGS: Omit<RouteSchema, 'summary'> = {
  query: LOG_QUERY,
  fields: { Accept: 'text/event-stream: the records as events, and each further one as it comes' },
  answers: { 200: inJson('The latest, oldest first', Type.Object({ records: Type.Array(logRecordSchema) })) },
  problems: [401, 403, 404],
};

/** Every route, those of functions first. */
export const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/invoke/:name', managed: false, schema: INVOKE, run: invoke },
  { method: 'ANY', path: '/fn/:name/*', managed: false, schema: SERVE, run: serveFunction },
  {
    method: 'GET',
    path: '/functions/:name',
    managed: true,
    schema: { summary: 'One function', answers: { 200: inJson('It', RECORD) }, problems: [401, 403, 404] },
    run: ({ nebula }, _exchange, name) => jsonAnswer(200, nebula.get(name)),
  },
  { method: 'PUT', path: '/functions/:name', managed: true, schema: DEPLOY, run: deploy },
  {
    method: 'DELETE',
    path: '/functions/:name',
    managed: true,
    schema: {
      summary: 'Remove a function',
      answers: { 204: { description: 'Removed' } },
      problems: [401, 403, 404, 503],
    },
    run: async ({ nebula }, _exchange, name) => {
      await nebula.undeploy(name);
      return { status: 204, headers: [], body: NO_BYTES };
    },
  },
  {
    method: 'POST',
    path: '/functions/:name/rollback',
    managed: true,
    schema: {
      summary: 'Return to the version before',
      answers: { 200: inJson('The version in force', RECORD) },
      problems: [401, 403, 404, 409, 422, 503],
    },
    run: async ({ nebula }, _exchange, name) => jsonAnswer(200, await nebula.rollback(name)),
  },
  {
    method: 'GET',
    path: '/functions',
    managed: true,
    schema: {
      summary: 'All functions',
      answers: { 200: inJson('Them', Type.Object({ functions: Type.Array(RECORD) })) },
      problems: [401, 403],
    },
    run: ({ nebula }) => jsonAnswer(200, { functions: nebula.list() }),
  },
  {
    method: 'GET',
    path: '/functions/:name/logs',
    managed: true,
    schema: { summary: 'What happened to a function, and what its guests wrote to stderr', ...LOGS },
    run: serveLogs,
  },
  {
    method: 'GET',
    path: '/logs',
    managed: true,
    schema: { summary: 'The same of all functions', ...LOGS },
    run: serveLogs,
  },
  {
    method: 'GET',
    path: '/healthz',
    managed: false,
    schema: { summary: 'Whether the process answers', answers: { 200: health('It does', 'ok') }, problems: [] },
    run: () => jsonAnswer(200, { status: 'ok' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    managed: false,
    schema: { summary: 'Whether calls are taken', answers: { 200: health('They are', 'ready') }, problems: [503] },
    run: ({ isDraining }) => {
      if (isDraining) throw new NebulaError('CLOSED');
      return jsonAnswer(200, { status: 'ready' });
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    managed: true,
    schema: {
      summary: 'Metrics',
      answers: { 200: { description: "Prometheus' text format", mediaType: 'text/plain', schema: Type.String() } },
      problems: [401, 403],
    },
    run: async (context) => {
      const metrics = await context.metrics();
      return { status: 200, headers: ['Content-Type', metrics.contentType], body: await metrics.read() };
    },
  },
  {
    method: 'GET',
    path: '/openapi.json',
    managed: false,
    schema: {
      summary: 'This document',
      answers: { 200: inJson('OpenAPI 3.1', Type.Object({ openapi: Type.String() }, { additionalProperties: true })) },
      problems: [],
    },
    run: async () => {
      const { openApiDocument } = await import('./openapi.ts');
      return jsonAnswer(200, openApiDocument(ROUTES));
    },
  },
];

async function invoke(context: RouteContext, exchange: Exchange, name: string): Promise<Answer> {
  const { nebula } = context;
  // HTTP/1.0 has neither trailers nor chunks: a body that was cut would look whole.
  const canStream = exchange.protocol !== 'HTTP/1.0';
  if (canStream && exchange.header(STREAM_FIELD) !== undefined) return invokeStreamed(context, exchange, name);
  const input = await readInput(exchange, nebula.get(name).limits.inputBytes);
  const record = nebula.get(name);
  const asker = askerOf(context, exchange);
  try {
    const { signal, requestId } = exchange;
    return outcomeAnswer(record, await nebula.invoke(name, input, { signal, requestId }), asker);
  } catch (error) {
    throw lossOf(record, error, asker);
  }
}

async function deploy({ nebula, moduleBytes }: RouteContext, exchange: Exchange, name: string): Promise<Answer> {
  const { module, options } = await readDeployment(exchange, name, moduleBytes);
  const record = await nebula.deploy(module, options).catch((error: unknown) => {
    throw toDeployError(error);
  });
  return jsonAnswer(record.version === 1 ? 201 : 200, record, ['Location', `/functions/${name}`]);
}

// What `deploy` calls a caller's mistake came in the manifest.
function toDeployError(error: unknown): unknown {
  const isArgument = error instanceof Error && (error as { code?: unknown }).code === 'ERR_NEBULA_ARGUMENT';
  if (isNebulaError(error) || !isArgument) return error;
  return new NebulaError('MANIFEST_INVALID', { detail: messageOf(error) }, { cause: error });
}

function jsonAnswer(status: number, value: unknown, headers: readonly string[] = []): Answer {
  const body = JSON.stringify(toManifestJson(value));
  return { status, headers: ['Content-Type', 'application/json', ...headers], body };
}
