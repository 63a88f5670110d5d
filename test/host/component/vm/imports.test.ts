/**
 * Our world beside the reference: every interface, function and method that preview2-shim has for Node, ours has as well,
 * but those named here. The shim runs in a process of its own, since it starts a thread where it is loaded.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import { Host } from '../../../../host/component/world/host.ts';
import { createImports } from '../../../../host/component/vm/imports.ts';
import { resolveLimits } from '../../../../host/limits.ts';

/** Exports by interface: the names of a class's methods, or undefined for a function. */
type Shape = Readonly<Record<string, Readonly<Record<string, readonly string[] | undefined>>>>;

const READ = `
  import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';
  const shape = {};
  for (const [id, exports] of Object.entries(new WASIShim().getImportObject())) {
    shape[id] = {};
    for (const [name, value] of Object.entries(exports ?? {})) {
      const isClass = typeof value === 'function' && /^class\\b/.test(String(value));
      shape[id][name] = isClass ? Object.getOwnPropertyNames(value.prototype).filter((each) => each !== 'constructor') : null;
    }
  }
  process.stdout.write(JSON.stringify(shape), () => process.exit());
`;

/** What ours has not, and why. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^wasi:sockets\/udp/, 'no UDP is granted'],
  [/#_|\._|Network\.noop$/, "the shim's own"],
  [/^wasi:(io|clocks|http|sockets|cli|filesystem|random)\/\S+@0\.3/, 'of WASI 0.3'],
];

test('createImports() has every interface, function and method that preview2-shim has', () => {
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', READ], { encoding: 'utf8' });
  const shim = JSON.parse(told) as Shape;
  const options = { programName: 'test', limits: resolveLimits(), capabilities: resolveCapabilities() };
  const packages = [
    'wasi:io',
    'wasi:cli',
    'wasi:clocks',
    'wasi:filesystem',
    'wasi:http',
    'wasi:random',
    'wasi:sockets',
  ];
  const world = createImports(new Host(options, []), packages) as Readonly<Record<string, Record<string, unknown>>>;
  const missing: string[] = [];
  let seen = 0;
  for (const [id, exports] of Object.entries(shim)) {
    for (const [name, methods] of Object.entries(exports)) {
      const ours = world[id]?.[name];
      if (ours === undefined) missing.push(`${id}#${name}`);
      else {
        seen++;
        const prototype = (ours as { prototype?: Record<string, unknown> }).prototype ?? {};
        missing.push(
          ...(methods ?? []).filter((method) => !(method in prototype)).map((method) => `${id}#${name}.${method}`),
        );
      }
    }
  }
  assert.ok(seen > 40, `the shim was read: ${seen}`);
  assert.deepEqual(
    missing.filter((each) => !LEFT_OUT.some(([pattern]) => pattern.test(each))),
    [],
  );
});
