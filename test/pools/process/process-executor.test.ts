import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { it } from 'node:test';
import type { ProcessDefinition } from '../../../pools/process/definition.ts';
import { createProcessExecutor } from '../../../pools/process/executor.ts';
import { nativePath, skipWithoutNative } from '../../functions/native.ts';
import { call, nativeDefinition, nativeSuite, type NativeOverrides } from '../native/native-suite.ts';

const skip = skipWithoutNative();

function define(name: string, overrides?: NativeOverrides): ProcessDefinition {
  return { ...nativeDefinition(name, overrides), binary: readFileSync(nativePath(name)) };
}

nativeSuite('createProcessExecutor()', { skip, open: () => createProcessExecutor(), define, killBoundMs: 200 });

it('createProcessExecutor() leaves no file and no process behind', { skip }, async () => {
  const before = readdirSync(tmpdir());
  const executor = createProcessExecutor();
  const definition = define('sleep', { mode: 'warm' });
  await executor.deploy(definition);
  const running = executor.invoke(definition, call('30'));
  const pid = childWith('--serve');
  assert.equal(process.kill(pid, 0), true);
  await executor.close(0);
  assert.equal((await running).kind, 'aborted');
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith('nebula-process-') && !before.includes(name));
  assert.deepEqual(left, []);
});

/** The child of this process that was started with an argument. */
function childWith(argument: string): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').map(Number);
  const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(argument));
  assert.ok(found !== undefined, 'no such child');
  return found;
}
