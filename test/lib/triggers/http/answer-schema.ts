/** Holds what a route answered against what its row of the table says: nothing is missing, and nothing is there besides. */

import assert from 'node:assert/strict';
import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { matchPath } from '../../../../lib/triggers/http/route-match.ts';
import type { Route } from '../../../../lib/triggers/http/route.ts';
import { malformedRequestSchema, problemSchema } from '../../../../lib/schema/problem.ts';
import { OUTCOME_FIELDS } from '../../../../lib/wire/outcome.ts';

export interface AnswerSeen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ajv = new Ajv({ strict: false, validateFormats: false });
const validators = new Map<TSchema, ValidateFunction>();

/** A schema whose objects take no other fields than they name. */
function closed(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((item) => closed(item));
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen = copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}

function check(schema: TSchema, body: string): void {
  let validate = validators.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(closed(schema) as object);
    validators.set(schema, validate);
  }
  assert.ok(validate(JSON.parse(body)), `${JSON.stringify(validate.errors)} in ${body.slice(0, 500)}`);
}

/** The route that a request is for. */
export function routeOf(method: string, target: string): Route | undefined {
  const [path = ''] = target.split('?');
  const asked = method === 'HEAD' ? 'GET' : method;
  return matchPath(path)?.routes.find((each) => each.method === asked || each.method === 'ANY');
}

/** @throws AssertionError for an answer that its route does not describe */
export function assertFits(method: string, target: string, seen: AnswerSeen): void {
  const { status, headers, body } = seen;
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';');
  const route = routeOf(method, target);
  if (mediaType === 'application/problem+json' && headers['nebula-outcome'] !== 'ok') {
    const isMalformed = status === 400;
    if (body !== '') check(isMalformed ? malformedRequestSchema : problemSchema, body);
    if (route === undefined || isMalformed) return;
    assert.ok([...route.schema.problems, 500, 405].includes(status), `${status} is not among the problems`);
    return;
  }
  if (route === undefined || method === 'OPTIONS') return assert.equal(status, 204);
  const { answers } = route.schema;
  const answer = answers[status] ?? answers['default'];
  assert.ok(answer !== undefined, `${status} is not among the answers`);
  if (answer.hasOutcome === true) {
    // Only functions whose code counts units tell how many.
    const always = Object.keys(OUTCOME_FIELDS).filter((name) => name !== 'Nebula-Units');
    for (const name of always) assert.ok(name.toLowerCase() in headers, name);
  }
  if (answer.mediaType === undefined) return;
  if (answer.mediaType !== '*/*') assert.equal(mediaType, answer.mediaType);
  if (answer.mediaType === 'application/json' && answer.schema !== undefined && method !== 'HEAD') {
    check(answer.schema, body);
  }
}
