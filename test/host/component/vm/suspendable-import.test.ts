import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suspendableImport } from '../../../../host/component/vm/suspendable-import.ts';
import { CAN_SUSPEND, promising } from '../../../../host/waiting/jspi.ts';
import { assemble } from '../../../wat.ts';

const skip = CAN_SUSPEND ? false : 'this Node cannot suspend a guest';

interface Guest {
  readonly exports: Record<'run' | 'runBack', (value: bigint) => number>;
  readonly told: unknown[];
}

/** A guest whose function waits for values of 1 and above, and one that is called back before it does. */
async function guestOf(finish: () => Promise<unknown>): Promise<Guest> {
  const told: unknown[] = [];
  let isUnanswered = 0;
  const wait = suspendableImport('iIi', {
    begin(...values) {
      told.push(values);
      isUnanswered = (values[1] as bigint) > 0n ? 1 : 0;
    },
    isUnanswered: () => isUnanswered,
    finish,
  });
  const bytes = await assemble(`(module
    (import "h" "wait" (func $wait (param i32 i64 i32)))
    (import "h" "back" (func $back (param i64)))
    (func $run (export "run") (param i64) (result i32) (call $wait (i32.const 1) (local.get 0) (i32.const 3)) (i32.const 4))
    (func (export "runBack") (param i64) (result i32) (call $back (local.get 0)) (i32.const 5)))`);
  const back = (value: bigint): void => void exports.run(value);
  const imports = { h: { wait, back } };
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as Guest['exports'];
  return { exports, told };
}

test('suspendableImport() suspends its guest only where the function is not answered at once', { skip }, async () => {
  let finished = 0;
  let answer: ((value: unknown) => void) | undefined;
  const { exports, told } = await guestOf(() => {
    finished++;
    return new Promise((resolve) => (answer = resolve));
  });
  assert.equal(await promising(exports.run)(0n), 4);
  assert.deepEqual([told, finished], [[[1, 0n, 3]], 0]);
  const running = promising(exports.run)(1n);
  assert.deepEqual([told.length, finished], [2, 1]);
  answer?.(undefined);
  assert.equal(await running, 4);
});

test('suspendableImport() is called as any other function where nobody could suspend the guest', { skip }, async () => {
  const { exports, told } = await guestOf(() => Promise.resolve());
  assert.equal(exports.run(0n), 4);
  assert.equal(await promising(exports.runBack)(0n), 5);
  assert.equal(told.length, 2);
  await assert.rejects(promising(exports.runBack)(1n), { name: 'SuspendError' });
});

test('suspendableImport() hands on what ends the guest', { skip }, async () => {
  const error = new WebAssembly.RuntimeError('dropped');
  const { exports } = await guestOf(() => Promise.reject(error));
  await assert.rejects(promising(exports.run)(1n), error);
});
