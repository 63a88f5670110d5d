/** Who is told to call a binding, where guests neither count units nor can be suspended. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BindingTable } from '../../../host/bindings/bindings.ts';
import type { BindingContext } from '../../../host/bindings/context.ts';
import { resolveCapabilities } from '../../../host/capabilities/capabilities.ts';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { prepareModule } from '../../../host/preparation/module.ts';
import { createInThreadExecutor } from '../../../pools/in-thread/executor.ts';
import { renamed } from '../../definition.ts';
import { assemble } from '../../wat.ts';

/** Calls the functions `x.fail` and `x.tell` of a binding, in this order. */
const calling = (binding: string): string => `(module
  (import "nebula" "call" (func $call (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "${binding}.fail") (data (i32.const 16) "${binding}.tell")
  (func (export "_start")
    (drop (call $call (i32.const 0) (i32.const 6) (i32.const 0) (i32.const 0)))
    (drop (call $call (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)))))`;

async function define(name: string): Promise<FunctionDefinition> {
  const limits = resolveLimits({ timeoutMs: 0 });
  const prepared = await prepareModule(await assemble(calling(name)), limits, { hasBindings: true }, 'never');
  return {
    ...renamed(name),
    prepared,
    entry: prepared.info.entry,
    limits,
    capabilities: resolveCapabilities(),
    bindings: [`${name}.fail`, `${name}.tell`],
    init: { environment: {}, allow: [], warmUp: [] },
    strategy: 'auto',
    audit: false,
  };
}

test('a guest in thread calls bindings of its own and for its own caller, whatever onBindingError invokes', async (context) => {
  const told: string[] = [];
  const functions = (name: string) => ({
    fail: () => assert.fail('no answer'),
    tell: (_: Uint8Array, { functionName, caller }: BindingContext) =>
      void told.push(`${name} by ${functionName} for ${caller}`),
  });
  const inner: Promise<unknown>[] = [];
  const table = new BindingTable({ a: functions('a'), z: functions('z') });
  const onError = (): void => {
    if (inner.length > 0) return;
    for (const each of [other, own]) inner.push(executor.invoke(each, { input: new Uint8Array(), caller: 'inner' }));
  };
  const executor = createInThreadExecutor({ bindings: { table, onError } });
  context.after(() => executor.close(0));
  const own = await define('a');
  const other = await define('z');
  await executor.deploy(own);
  await executor.deploy(other);
  const outcome = await executor.invoke(own, { input: new Uint8Array(), caller: 'outer' });
  assert.equal(outcome.kind, 'ok');
  await Promise.all(inner);
  assert.deepEqual(told, ['a by a for outer', 'z by z for inner', 'a by a for inner']);
});
