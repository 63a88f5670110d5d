/** One thread for the outgoing requests of several guest threads: what each has, what it leaves, what the others notice. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { tellLoss } from '../../../../host/component/outgoing/losses.ts';
import { OutgoingThread } from '../../../../host/component/outgoing/thread.ts';
import type { GuestData, Task } from './guest.ts';

/** Answers at once, but for `/held`, which it holds until it is told to answer. */
const held: ServerResponse[] = [];
const open = new Set<Socket>();
const server = createServer((request, response) => {
  if (request.url === '/held') held.push(response);
  else response.end('x');
});
server.on('connection', (socket) => {
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  socket.on('error', () => undefined);
});
let port: number;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
beforeEach(async () => {
  held.splice(0);
  // What the test before had open goes with its thread.
  await until(() => open.size === 0);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

class Guest {
  readonly worker: Worker;

  constructor(thread: OutgoingThread) {
    const workerData: GuestData = { losses: thread.losses, port };
    this.worker = new Worker(new URL('./guest.js', import.meta.url), { workerData });
    this.worker.on('message', ({ far }: { readonly far?: MessagePort }) => far !== undefined && thread.connect(far));
  }

  begin(task: Partial<Task>): void {
    this.worker.postMessage({ path: '/', requests: 1, sockets: 0, ...task } satisfies Task);
  }

  async answers(): Promise<readonly string[]> {
    for (;;) {
      const [{ answers }] = (await once(this.worker, 'message')) as [{ readonly answers?: readonly string[] }];
      if (answers !== undefined) return answers;
    }
  }

  ask(task: Partial<Task> = {}): Promise<readonly string[]> {
    this.begin(task);
    return this.answers();
  }
}

function shared(context: TestContext, count: number): readonly [OutgoingThread, ...Guest[]] {
  const thread = new OutgoingThread();
  const guests = Array.from({ length: count }, () => new Guest(thread));
  context.after(async () => {
    await Promise.all(guests.map(({ worker }) => worker.terminate()));
    await thread.close();
  });
  return [thread, ...guests];
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setTimeout(2);
}

test('OutgoingThread serves several guest threads, and starts with the first request', async (context) => {
  const [thread, first, second] = shared(context, 2) as [OutgoingThread, Guest, Guest];
  assert.equal(thread.started, 0);
  assert.deepEqual(await Promise.all([first.ask({ requests: 3 }), second.ask()]), [['200', '200', '200'], ['200']]);
  assert.deepEqual(await first.ask({ sockets: 1 }), ['200']);
  assert.equal(thread.started, 1);
});

test('OutgoingThread makes 16 requests of a guest to one origin at once, and others do not wait for it', async (context) => {
  const [, greedy, other] = shared(context, 2) as [OutgoingThread, Guest, Guest];
  const asked = greedy.ask({ path: '/held', requests: 40 });
  await until(() => held.length === 16);
  assert.deepEqual(
    await other.ask({ requests: 20 }),
    Array.from({ length: 20 }, () => '200'),
  );
  assert.equal(held.length, 16);
  const answering = setInterval(() => held.splice(0).forEach((response) => response.end()), 1);
  assert.deepEqual(
    await asked,
    Array.from({ length: 40 }, () => '200'),
  );
  clearInterval(answering);
});

test('OutgoingThread keeps nothing open of a guest thread that ended in the middle', async (context) => {
  const [thread, ended, other] = shared(context, 2) as [OutgoingThread, Guest, Guest];
  ended.begin({ path: '/held', requests: 20, sockets: 3 });
  await until(() => held.length === 16 && open.size === 19);
  await ended.worker.terminate();
  await until(() => open.size === 0);
  // Those that waited for their turn are not made either.
  assert.equal(held.length, 16);
  assert.deepEqual(await other.ask(), ['200']);
  assert.equal(thread.started, 1);
});

/** A message that no guest thread sends ends the thread, as a fault of ours would. */
function crash(thread: OutgoingThread): void {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage({ op: 'start' });
  thread.connect(port2);
}

test('OutgoingThread that is lost fails what guests wait for, and another is started', async (context) => {
  const [thread, first, second] = shared(context, 2) as [OutgoingThread, Guest, Guest];
  const asked = Promise.all([first, second].map((guest) => guest.ask({ path: '/held', requests: 2, sockets: 1 })));
  await until(() => held.length === 4);
  crash(thread);
  const failed = ['internal-error', 'internal-error'];
  assert.deepEqual(await asked, [failed, failed]);
  assert.deepEqual(await Promise.all([first.ask(), second.ask()]), [['200'], ['200']]);
  assert.equal(thread.started, 2);
});

test('OutgoingThread.close() ends what is under way, and takes nothing on any more', async (context) => {
  const [thread, guest] = shared(context, 1) as [OutgoingThread, Guest];
  const asked = guest.ask({ path: '/held' });
  await until(() => held.length === 1);
  await thread.close();
  assert.deepEqual(await asked, ['internal-error']);
  await until(() => open.size === 0);
  const { port1, port2 } = new MessageChannel();
  thread.connect(port2);
  await once(port1, 'close');
  assert.equal(thread.started, 1);
});

/** Guest threads whose thread cannot be started `failures` times. */
function short(context: TestContext, failures: number): { thread: OutgoingThread; guest: Guest; tries: () => number } {
  let tries = 0;
  const file = new URL('../../../../host/component/outgoing/entry.js', import.meta.url);
  const thread = new OutgoingThread((workerData) => {
    if (++tries <= failures) throw Object.assign(new Error('no thread'), { code: 'ERR_WORKER_INIT_FAILED' });
    return new Worker(file, { workerData });
  });
  const guest = new Guest(thread);
  context.after(async () => {
    await guest.worker.terminate();
    await thread.close();
  });
  return { thread, guest, tries: () => tries };
}

test('OutgoingThread that cannot be started fails the requests, and is started later', async (context) => {
  const { thread, guest, tries } = short(context, 1);
  assert.deepEqual(await guest.ask({ requests: 2 }), ['internal-error', 'internal-error']);
  assert.equal(thread.started, 0);
  // It is not tried with every request.
  for (let count = 0; count < 20; count++) thread.connect(new MessageChannel().port2);
  assert.ok(tries() <= 2);
  while ((await guest.ask())[0] !== '200') await setTimeout(10);
  assert.deepEqual([thread.started, tries()], [1, 2]);
});

test('OutgoingThread gives no port to a thread that said that it ends before its end was heard of', async (context) => {
  const { thread, guest, tries } = short(context, 0);
  assert.deepEqual(await guest.ask(), ['200']);
  // What the thread does as it ends; a guest thread that looks now sees nothing change any more.
  Atomics.store(new Int32Array(thread.losses), 0, 1);
  assert.deepEqual(await guest.ask(), ['200']);
  assert.equal(tries(), 2);
});

test('OutgoingThread that ends late takes no later loss back', () => {
  const losses = new SharedArrayBuffer(4);
  tellLoss(losses, 2);
  tellLoss(losses, 1);
  assert.equal(new Int32Array(losses)[0], 2);
});
