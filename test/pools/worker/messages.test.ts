import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NebulaError } from '../../../host/errors.ts';
import type { Ending, Outcome } from '../../../host/outcome.ts';
import { NO_PHASES } from '../../../host/phases.ts';
import { decodeOutcome, encodeOutcome, toRefusal } from '../../../pools/worker/messages.ts';

const ENDINGS: readonly Ending[] = [
  { kind: 'ok' },
  { kind: 'exit', exitCode: 7 },
  { kind: 'trap', reason: 'unreachable', message: 'unreachable' },
  { kind: 'timeout', timeoutMs: 5 },
  { kind: 'limit', limit: 'outputBytes', allowed: 9 },
  { kind: 'denied', capability: 'network' },
  { kind: 'aborted' },
];

const TOLD = {
  start: 'restored',
  phases: { ...NO_PHASES, queue: 1, instantiate: 2, restore: 3, run: 4, collect: 5 },
  usage: { memoryBytes: 65_536, inputBytes: 3, hostCalls: 2 },
} as const;

for (const ending of ENDINGS) {
  test(`decodeOutcome() gives back what encodeOutcome() was given: ${ending.kind}`, () => {
    const outcome: Outcome = { ...ending, ...TOLD, stdout: Uint8Array.of(1, 2), stderr: Uint8Array.of(3) };
    const answer = encodeOutcome(42, outcome);
    assert.equal(answer[0], 42);
    assert.deepEqual(decodeOutcome(structuredClone(answer)), outcome);
  });
}

test('encodeOutcome() carries no empty output, and decodeOutcome() has it all the same', () => {
  const outcome: Outcome = { kind: 'ok', ...TOLD, stdout: new Uint8Array(5).subarray(5), stderr: new Uint8Array() };
  const answer = encodeOutcome(1, outcome);
  assert.deepEqual([answer[2], answer[3]], [undefined, undefined]);
  const { stdout, stderr } = decodeOutcome(answer);
  assert.deepEqual([stdout.length, stderr.length], [0, 0]);
});

test('toRefusal() names a failure of ours, and tells any other in words', () => {
  const ours = toRefusal(new NebulaError('ADDRESS_SPACE', { name: 'f', detail: 'it is full' }));
  assert.equal(ours.ok, false);
  assert.ok(ours.failure !== undefined);
  assert.match(ours.detail, /it is full/);
  const other = toRefusal(new Error('a fault'));
  assert.deepEqual([other.ok, other.failure, other.detail], [false, undefined, 'a fault']);
});
