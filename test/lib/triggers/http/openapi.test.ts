import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Request } from 'undici';
import { createFetchHandler } from '../../../../lib/triggers/http/handler.ts';
import { openApiDocument } from '../../../../lib/triggers/http/openapi.ts';
import { ROUTES } from '../../../../lib/triggers/http/route-table.ts';
import { FakeNebula, outcomeOf } from './fake-nebula.ts';

type Json = Readonly<Record<string, unknown>>;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

// Through JSON, as clients see it.
const openApi = JSON.parse(JSON.stringify(openApiDocument(ROUTES))) as {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Json; readonly security?: unknown }>>>
  >;
  readonly components: { readonly schemas: Json };
};

function* references(value: unknown): Iterable<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === '$ref') yield String(member);
    else yield* references(member);
  }
}

/** Every schema of a body, a field or a parameter, and those that others refer to. */
function* schemasOf(value: unknown): Iterable<object> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'schema') yield member as object;
    else if (key === 'schemas') yield* Object.values(member as Readonly<Record<string, object>>);
    else yield* schemasOf(member);
  }
}

function lookUp(reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((value, key) => (value as Json | undefined)?.[key], openApi);
}

describe('openApiDocument()', () => {
  it('refers only to what it has', () => {
    const all = [...references(openApi)];
    assert.ok(all.length > 10);
    for (const reference of all) assert.equal(typeof lookUp(reference), 'object', reference);
  });

  it('has schemas of the dialect that OpenAPI 3.1 has them in', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const all = [...schemasOf(openApi)];
    assert.ok(all.length > 20);
    for (const schema of all)
      assert.ok(ajv.validateSchema(schema), JSON.stringify([ajv.errors, schema]).slice(0, 1000));
  });

  it('has the schema that checks manifests', () => {
    const { properties } = openApi.components.schemas['Manifest'] as { properties: Json };
    assert.deepEqual((properties['name'] as Json)['pattern'], '^[a-z0-9][a-z0-9._-]{0,63}$');
    assert.ok('capabilities' in properties && 'limits' in properties);
  });

  for (const [path, item] of Object.entries(openApi.paths)) {
    for (const [method, operation] of Object.entries(item).filter(([key]) => METHODS.includes(key))) {
      it(`tells the truth about ${method.toUpperCase()} ${path}`, async () => {
        const nebula = new FakeNebula().define('f', () => outcomeOf({ kind: 'ok' }, 'Status: 200\n\n'));
        const handle = createFetchHandler(nebula, { token: 'secret' });
        const url = `http://h${path.replace('{name}', 'f').replace('{path}', 'x')}`;
        const open = await handle(new Request(url, { method: method.toUpperCase() }));
        assert.equal(open.status === 401, operation.security !== undefined);
        const headers = { authorization: 'Bearer secret' };
        const { status } = await handle(new Request(url, { method: method.toUpperCase(), headers }));
        assert.ok(status in operation.responses || 'default' in operation.responses, `${status} is not in it`);
        assert.notEqual(status, 405);
      });
    }
  }
});
