import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NebulaError, toFailure } from '../../../host/errors.ts';
import { errorOf, workerLost } from '../../../pools/worker/refusals.ts';
import { define } from '../../host/function.ts';

const definition = await define('(module (func (export "_start")))', { name: 'f' });

test('errorOf() is a TypeError of what could not be sent, one of ours that a thread told, or a thread that is lost', () => {
  const unsent = errorOf(definition, {
    ok: false,
    failure: undefined,
    detail: '#<Promise> could not be cloned',
    isUnsent: true,
  });
  assert.ok(unsent instanceof TypeError);
  assert.equal(unsent.message, 'Cannot send the invocation of "f" to a thread: #<Promise> could not be cloned');
  assert.equal((unsent as Error & { readonly code?: string }).code, 'ERR_NEBULA_ARGUMENT');
  const told = new NebulaError('INIT_FAILED', { name: 'f', detail: 'it exited' });
  const failure = toFailure(told);
  const again = errorOf(definition, { ok: false, failure, detail: 'not this' }) as NebulaError;
  assert.deepEqual([again.key, again.message], [told.key, told.message]);
  const lost = errorOf(definition, { ok: false, failure: undefined, detail: 'out of memory' }) as NebulaError;
  assert.deepEqual([lost.key, lost.fields], ['WORKER_LOST', { name: 'f', detail: 'out of memory' }]);
});

test('workerLost() keeps what went wrong as its cause', () => {
  const cause = new Error('it fell over');
  const lost = workerLost(definition, cause);
  assert.deepEqual([lost.key, lost.fields, lost.cause], ['WORKER_LOST', { name: 'f', detail: 'it fell over' }, cause]);
});
