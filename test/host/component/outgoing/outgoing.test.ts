import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { outgoingOfThread } from '../../../../host/component/outgoing/outgoing.ts';
import type { OutgoingAnswer, OutgoingMessage } from '../../../../host/component/outgoing/messages.ts';

test('outgoingOfThread() tells what is under way when its thread ends, and starts another', async () => {
  const first = outgoingOfThread();
  const answers: OutgoingAnswer[] = [];
  const id = first.open((answer) => answers.push(answer));
  // A request without anything that is needed for one, which no guest sends: it ends the thread.
  first.send({ op: 'start', id } as unknown as OutgoingMessage);
  while (!first.isLost) await setImmediate();
  first.receive();
  first.receive();
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ['error', 'socket-error'],
  );
  assert.notEqual(outgoingOfThread(), first);
});

test('Outgoing is told of the end of its thread although its own stands still', () => {
  const outgoing = outgoingOfThread();
  const kinds: string[] = [];
  const id = outgoing.open(({ kind }) => kinds.push(kind));
  outgoing.send({ op: 'start', id } as unknown as OutgoingMessage);
  const signal = new Int32Array(new SharedArrayBuffer(4));
  while (kinds.length === 0) {
    Atomics.wait(signal, 0, 0, 10);
    outgoing.receive();
  }
  assert.deepEqual(kinds, ['error', 'socket-error']);
});
