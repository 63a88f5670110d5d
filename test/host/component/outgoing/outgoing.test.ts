import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outgoingOfThread } from '../../../../host/component/outgoing/outgoing.ts';
import type { OutgoingAnswer, OutgoingRequestMessage } from '../../../../host/component/outgoing/messages.ts';

test('outgoingOfThread() tells what is under way when its thread ends, and starts another', async () => {
  const first = outgoingOfThread();
  const kinds: string[] = [];
  const failed = new Promise<OutgoingAnswer>((resolve) => {
    const id = first.open((answer) => {
      kinds.push(answer.kind);
      if (kinds.length === 2) resolve(answer);
    });
    // A signal that is none: whatever the thread has to tell of this request ends it.
    const message = { op: 'start', id, origin: 'http://127.0.0.1:1', path: '/', method: 'GET', headers: [], signal: 0 };
    first.send({ ...message, timeouts: { connectMs: 1 } } as unknown as OutgoingRequestMessage);
  });
  // The thread keeps nothing alive, this test neither.
  const alive = setInterval(() => undefined, 1000);
  await failed;
  clearInterval(alive);
  assert.deepEqual(kinds, ['error', 'socket-error']);
  assert.notEqual(outgoingOfThread(), first);
});
