/** `GET /openapi.json`: the routes in OpenAPI 3.1, with the schema that checks manifests and schemas of what is answered. */

import { Type, type TSchema } from 'typebox';
import { ERRORS } from '../../../host/errors.ts';
import { ALL_PHASES } from '../../../host/phases.ts';
import { functionRecordSchema } from '../../schema/function-record.ts';
import { manifestSchema, nameSchema } from '../../schema/manifest.ts';
import { problemSchema } from '../../schema/problem.ts';

const RECORD = {
  ...functionRecordSchema,
  properties: { ...functionRecordSchema.properties, manifest: reference('Manifest') },
};

const BYTES: TSchema = Type.String({ format: 'binary' });

const OUTCOME_HEADERS = {
  'Nebula-Outcome': header(
    'How the guest ended: ok, exit, trap, timeout, limit, denied, aborted; failed when it is not shown',
  ),
  'Nebula-Exit-Code': header("The guest's exit code, where it is shown"),
  'Nebula-Start': header('cold, restored or ready'),
  'Nebula-Function-Version': header('The version that answered'),
  'Server-Timing': header(`Milliseconds of each phase that took some: ${ALL_PHASES.join(', ')}`),
};

function header(description: string): object {
  return { description, schema: { type: 'string' } };
}

function content(mediaType: string, schema: unknown): object {
  return { [mediaType]: { schema } };
}

function reference(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

function answer(description: string, mediaType?: string, schema?: unknown): object {
  return mediaType === undefined ? { description } : { description, content: content(mediaType, schema) };
}

function problems(...statuses: number[]): Record<string, object> {
  const described = statuses.map((status) => {
    const codes = Object.entries(ERRORS).filter(([, [httpStatus]]) => httpStatus === status);
    const description = codes.map(([key]) => `ERR_NEBULA_${key}`).join(', ');
    return [String(status), answer(description, 'application/problem+json', reference('Problem'))] as const;
  });
  return Object.fromEntries(described);
}

const NAME = {
  name: 'name',
  in: 'path',
  required: true,
  schema: nameSchema,
};

const MANAGED = { security: [{ bearer: [] }] };

const recordAnswer = (description: string): object =>
  answer(description, 'application/json', reference('FunctionRecord'));

function functionRoutes(): object {
  const put = {
    ...MANAGED,
    summary: 'Deploy a function, or a new version of one',
    parameters: [
      {
        name: 'Nebula-Manifest',
        in: 'header',
        description: 'with application/wasm: the manifest as percent-encoded JSON; name may be left out',
        schema: { type: 'string' },
      },
    ],
    requestBody: {
      required: true,
      content: {
        ...content('application/wasm', BYTES),
        ...content('application/json', {
          type: 'object',
          required: ['module'],
          additionalProperties: false,
          properties: {
            manifest: reference('Manifest'),
            module: { type: 'string', contentEncoding: 'base64' },
            snapshot: {
              type: 'string',
              contentEncoding: 'base64',
              description: 'what "nebula snapshot" wrote of this module; its initialisation is then not run',
            },
          },
        }),
      },
    },
    responses: {
      200: recordAnswer('A new version'),
      201: recordAnswer('A new function'),
      ...problems(401, 403, 409, 413, 415, 422, 503),
    },
  };
  const get = {
    ...MANAGED,
    summary: 'One function',
    responses: { 200: recordAnswer('It'), ...problems(401, 403, 404) },
  };
  const remove = {
    ...MANAGED,
    summary: 'Remove a function',
    responses: { 204: answer('Removed'), ...problems(401, 403, 404) },
  };
  const rollback = {
    ...MANAGED,
    summary: 'Return to the version before',
    responses: { 200: recordAnswer('The version in force'), ...problems(401, 403, 404, 409) },
  };
  const list = Type.Object({ functions: Type.Array(Type.Ref('#/components/schemas/FunctionRecord')) });
  return {
    '/functions': {
      get: {
        ...MANAGED,
        summary: 'All functions',
        responses: { 200: answer('Them', 'application/json', list), ...problems(401, 403) },
      },
    },
    '/functions/{name}': { parameters: [NAME], get, put, delete: remove },
    '/functions/{name}/rollback': { parameters: [NAME], post: rollback },
  };
}

function invocationRoutes(): object {
  const failures = problems(403, 404, 408, 413, 499, 500, 502, 503, 504);
  const cgi = (method: string): object => ({
    summary: `${method} to a function as a CGI/1.1 program (RFC 3875); the path after the name is its PATH_INFO`,
    responses: { default: { ...answer('What the program answered'), headers: OUTCOME_HEADERS }, ...failures },
  });
  const rest = { name: 'path', in: 'path', required: true, schema: { type: 'string' } };
  return {
    '/invoke/{name}': {
      parameters: [NAME],
      post: {
        summary: 'Run a function once: the body is its stdin, the answer its stdout',
        requestBody: { content: content('*/*', BYTES) },
        responses: { 200: { ...answer('Its stdout', '*/*', BYTES), headers: OUTCOME_HEADERS }, ...failures },
      },
    },
    '/fn/{name}/{path}': {
      parameters: [NAME, rest],
      ...Object.fromEntries(
        ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'].map((method) => [method, cgi(method)]),
      ),
    },
  };
}

function publicGet(summary: string, responses: object): object {
  return { get: { summary, responses } };
}

function serverRoutes(): object {
  const status = Type.Object({ status: Type.String() });
  const text = answer("Prometheus' text format", 'text/plain', Type.String());
  const document = answer('OpenAPI 3.1', 'application/json', Type.Object({}));
  return {
    '/healthz': publicGet('Whether the process answers', { 200: answer('It does', 'application/json', status) }),
    '/readyz': publicGet('Whether calls are taken', {
      200: answer('They are', 'application/json', status),
      ...problems(503),
    }),
    '/metrics': { get: { ...MANAGED, summary: 'Metrics', responses: { 200: text, ...problems(401, 403) } } },
    '/openapi.json': publicGet('This document', { 200: document }),
  };
}

/** The document. */
export function openApiDocument(): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Nebula', version: '1', description: 'Runs functions compiled to WebAssembly.' },
    paths: { ...invocationRoutes(), ...functionRoutes(), ...serverRoutes() },
    components: {
      schemas: { Manifest: manifestSchema, FunctionRecord: RECORD, Problem: problemSchema },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}
