/** A capability is a folder and a line of the table: what a manifest takes, what holds without it, and who has it follow. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CAPABILITIES,
  capabilityEntries,
  findCapabilityMisfit,
  NO_CAPABILITIES,
  resolveCapabilities,
} from '../../../host/capabilities/capabilities.ts';
import { manifestSchema } from '../../../lib/schema/manifest.ts';

// Compiled to dist/test/host/capabilities.
const folder = join(import.meta.dirname, '../../../../host/capabilities');

test('CAPABILITIES has a line for each folder', () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).toSorted(), Object.keys(CAPABILITIES).toSorted());
  for (const { name } of folders) {
    for (const file of ['schema.ts', 'capability.ts'])
      assert.ok(existsSync(join(folder, name, file)), `${name}/${file}`);
  }
});

test('CAPABILITIES are what a manifest takes under capabilities', () => {
  const { capabilities } = (manifestSchema as { properties: Record<string, unknown> }).properties;
  const { properties, additionalProperties, required } = JSON.parse(JSON.stringify(capabilities)) as {
    properties: Record<string, unknown>;
    additionalProperties: boolean;
    required?: string[];
  };
  assert.deepEqual(
    properties,
    Object.fromEntries(
      capabilityEntries().map(([name, { schema }]) => [name, JSON.parse(JSON.stringify(schema)) as unknown]),
    ),
  );
  assert.deepEqual([additionalProperties, required ?? []], [false, []]);
});

test('NO_CAPABILITIES grants nothing', () => {
  assert.deepEqual(NO_CAPABILITIES, {
    arguments: [],
    environment: {},
    mounts: [],
    clocks: { kind: 'real' },
    random: { kind: 'secure' },
    bindings: [],
    denial: 'errno',
  });
});

test('resolveCapabilities() puts what was given in the place of nothing', () => {
  const sockets = { connect: ['192.0.2.1:1'] };
  assert.deepEqual(resolveCapabilities({ sockets, denial: 'end' }), { ...NO_CAPABILITIES, sockets, denial: 'end' });
});

test('findCapabilityMisfit() finds origins and addresses that have their pattern and are none', () => {
  assert.equal(findCapabilityMisfit({}), undefined);
  assert.equal(
    findCapabilityMisfit({ http: { origins: ['https://a.example'] }, sockets: { bind: ['[::1]:0'] } }),
    undefined,
  );
  assert.deepEqual(findCapabilityMisfit({ http: { origins: ['https://a.example', 'https://a:99999'] } }), {
    field: 'http.origins.1',
    expected: 'an origin that exists',
    got: 'https://a:99999',
  });
  assert.deepEqual(findCapabilityMisfit({ sockets: { connect: ['192.0.2.1:1'], bind: ['192.0.2.1:65536'] } }), {
    field: 'sockets.bind.0',
    expected: 'an address that exists',
    got: '192.0.2.1:65536',
  });
});

test('only schemas and the table import typebox, so that hosts can load what grants a capability', () => {
  for (const [name] of capabilityEntries()) {
    for (const file of readdirSync(join(folder, name))) {
      if (file === 'schema.ts' || file === 'capability.ts') continue;
      const source = readFileSync(join(folder, name, file), 'utf8');
      assert.doesNotMatch(source, /^import (?!type)[^;]*(schema|capability)\.ts'/m, `${name}/${file}`);
      assert.doesNotMatch(source, /^import (?!type)[^;]*(typebox|host\/schema)/m, `${name}/${file}`);
    }
  }
});
