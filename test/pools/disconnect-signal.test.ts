import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addAbortListener } from 'node:events';
import { DisconnectSignal } from '../../pools/disconnect-signal.ts';

describe('DisconnectSignal', () => {
  it('is an AbortSignal to whoever asks', () => {
    const signal: unknown = new DisconnectSignal();
    assert.ok(signal instanceof AbortSignal);
  });

  it('tells each listener once, in any of the forms a listener has', () => {
    const signal = new DisconnectSignal();
    const told: string[] = [];
    const twice = (): number => told.push('function');
    signal.addEventListener('abort', twice);
    signal.addEventListener('abort', twice);
    signal.addEventListener('abort', { handleEvent: (event: Event) => told.push(event.type) });
    signal.addEventListener('other', () => told.push('other'));
    signal.addEventListener('abort', null);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the property is what is tested
    signal.onabort = () => told.push('onabort');
    const removed = (): number => told.push('removed');
    signal.addEventListener('abort', removed);
    signal.removeEventListener('abort', removed);
    addAbortListener(signal, () => told.push('node:events'));
    const reason = new Error('gone');
    signal.abort(reason);
    signal.abort(new Error('again'));
    assert.deepEqual(told, ['onabort', 'function', 'abort', 'node:events']);
    assert.ok(signal.aborted);
    assert.equal(signal.reason, reason);
    assert.throws(() => signal.throwIfAborted(), reason);
  });

  it('throws nothing before it is aborted', () => {
    const signal = new DisconnectSignal();
    signal.throwIfAborted();
    assert.equal(signal.aborted, false);
  });
});
