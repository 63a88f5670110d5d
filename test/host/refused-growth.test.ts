import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ending } from '../../host/outcome.ts';
import { explainEnding } from '../../host/refused-growth.ts';

const limits = { memoryBytes: 65_536 };
const OUT_OF_MEMORY: Ending = { kind: 'limit', limit: 'memoryBytes', allowed: 65_536 };

test('explainEnding() blames the memory for a failure after a refused growth, and for nothing else', () => {
  const trap: Ending = { kind: 'trap', reason: 'unreachable', message: 'unreachable' };
  const exit: Ending = { kind: 'exit', exitCode: 3 };
  for (const ending of [trap, exit]) {
    assert.deepEqual(explainEnding(ending, { growRefused: true }, limits), OUT_OF_MEMORY);
    assert.equal(explainEnding(ending, { growRefused: false }, limits), ending);
  }
  const others: readonly Ending[] = [
    { kind: 'ok' },
    { kind: 'aborted' },
    { kind: 'timeout', timeoutMs: 5 },
    { kind: 'denied', capability: 'clocks' },
    { kind: 'limit', limit: 'outputBytes', allowed: 1 },
  ];
  for (const ending of others) assert.equal(explainEnding(ending, { growRefused: true }, limits), ending);
});

test('explainEnding() does not ask a guest that ended well, for that is on the path of every call', () => {
  const guest = {
    get growRefused(): boolean {
      return assert.fail('asked');
    },
  };
  assert.deepEqual(explainEnding({ kind: 'ok' }, guest, limits), { kind: 'ok' });
});
