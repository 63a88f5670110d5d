/** `GET /openapi.json`: the table of routes in OpenAPI 3.1, with the schemas that check what is sent and answered. */

import type { TSchema } from 'typebox';
import { ERRORS } from '../../../host/errors.ts';
import { ALL_PHASES } from '../../../host/phases.ts';
import { functionRecordSchema } from '../../schema/function-record.ts';
import { logRecordSchema } from '../../schema/log-record.ts';
import { manifestSchema, nameSchema } from '../../schema/manifest.ts';
import { malformedRequestSchema, problemSchema } from '../../schema/problem.ts';
import { OUTCOME_FIELDS } from '../../wire/outcome.ts';
import { PROBLEM_TYPE } from '../../wire/problem.ts';
import type { AnswerSchema, Route, RouteSchema } from './route.ts';

/** Schemas that others refer to by their titles. */
const SHARED: readonly TSchema[] = [
  manifestSchema,
  functionRecordSchema,
  logRecordSchema,
  problemSchema,
  malformedRequestSchema,
];

/** Methods that stand for ANY. */
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;

const OUTCOME_HEADERS = Object.fromEntries(
  Object.entries(OUTCOME_FIELDS).map(([name, description]) => [
    name,
    {
      description:
        name === 'Server-Timing'
          ? `${description} that took some: ${ALL_PHASES.join(', ')}; and cpu, where it is counted`
          : description,
      schema: { type: 'string' },
    },
  ]),
);

/** The document of `routes`. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(':name', '{name}').replace('*', '{path}');
    const item = (paths[path] ??= parametersOf(path));
    for (const method of route.method === 'ANY' ? METHODS : [route.method.toLowerCase()])
      item[method] = describe(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Nebula', version: '1', description: 'Runs functions compiled to WebAssembly.' },
    paths,
    components: {
      schemas: Object.fromEntries(SHARED.map((schema) => [titleOf(schema), referring(schema, schema)])),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function parametersOf(path: string): Record<string, unknown> {
  const parameters = [
    ...(path.includes('{name}') ? [{ name: 'name', in: 'path', required: true, schema: nameSchema }] : []),
    ...(path.includes('{path}') ? [{ name: 'path', in: 'path', required: true, schema: { type: 'string' } }] : []),
  ];
  return parameters.length === 0 ? {} : { parameters };
}

function describe({ managed, schema }: Route): object {
  const { summary, fields = {}, query = {}, body } = schema;
  const parameters = [...parametersIn('header', fields), ...parametersIn('query', query)];
  return {
    summary,
    ...(managed ? { security: [{ bearer: [] }] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(schema, body) }),
    responses: responsesOf(schema),
  };
}

function parametersIn(place: 'header' | 'query', described: Readonly<Record<string, string>>): object[] {
  const schema = { type: 'string' };
  return Object.entries(described).map(([name, description]) => ({ name, in: place, description, schema }));
}

function requestBody({ isBodyRequired }: RouteSchema, body: Readonly<Record<string, TSchema>>): object {
  const content = Object.entries(body).map(([mediaType, schema]) => [mediaType, { schema: referring(schema) }]);
  return { ...(isBodyRequired === true ? { required: true } : {}), content: Object.fromEntries(content) };
}

function responsesOf({ answers, problems }: RouteSchema): object {
  const failures = [...problems, 500].map((status) => [status, problemResponse(status)]);
  return {
    ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)])),
    400: response('HTTP itself cannot make sense of the request', PROBLEM_TYPE, malformedRequestSchema),
    ...Object.fromEntries(failures),
  };
}

function responseOf({ description, mediaType, schema, hasOutcome }: AnswerSchema): object {
  const headers = hasOutcome === true ? { headers: OUTCOME_HEADERS } : {};
  return { ...response(description, mediaType, schema), ...headers };
}

function problemResponse(status: number): object {
  const codes = Object.entries(ERRORS).filter(([, [httpStatus]]) => httpStatus === status);
  return response(codes.map(([name]) => `ERR_NEBULA_${name}`).join(', '), PROBLEM_TYPE, problemSchema);
}

function response(description: string, mediaType?: string, schema?: TSchema): object {
  if (mediaType === undefined || schema === undefined) return { description };
  return { description, content: { [mediaType]: { schema: referring(schema) } } };
}

function titleOf(schema: unknown): string | undefined {
  return (schema as { readonly title?: string }).title;
}

/** A schema in which shared ones, but for `itself`, are referred to. */
function referring(schema: unknown, itself?: TSchema): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((item) => referring(item));
  const title = titleOf(schema);
  const isShared = title !== undefined && schema !== itself && SHARED.some((each) => titleOf(each) === title);
  if (isShared) return { $ref: `#/components/schemas/${title}` };
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, referring(value)]));
}
