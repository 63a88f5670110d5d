/** Calls whose bodies travel while their guests run. */

import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNebula, startServer, type Nebula, type NebulaOptions } from '../../../lib/index.ts';
import { startStreamed } from '../../../lib/calls/streams.ts';
import { ClientWatch } from '../../../lib/component/client-watch.ts';
import { until } from '../../pools/fixture.ts';
import { assemble } from '../../wat.ts';
import { RawConnection } from '../triggers/http/raw-connection.ts';

/** Writes what it reads as it comes, 64 KiB at a time, by two vectors; then ends as `end` says. */
const echo = (end: string = '', imports: string = ''): string => `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  ${imports}
  (memory (export "memory") 4)
  (func (export "_start")
    (block $done
      (loop $more
        ;; Two vectors: 64 KiB, and 8 bytes behind them.
        (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 65536))
        (i32.store (i32.const 8) (i32.const 131072)) (i32.store (i32.const 12) (i32.const 8))
        (if (call $read (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 16)) (then unreachable))
        (br_if $done (i32.eqz (i32.load (i32.const 16))))
        (i32.store (i32.const 4) (i32.load (i32.const 16)))
        (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)) (then (br $done)))
        (br $more)))
    ${end}))`;

const POLL = '(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))';

async function open(options: NebulaOptions = {}): Promise<Nebula> {
  const nebula = await createNebula({ threads: 2, ...options });
  const limits = { timeoutMs: 60_000, inputBytes: 1000, outputBytes: 1000 };
  await nebula.deploy(await assemble(echo()), { name: 'echo', limits });
  await nebula.deploy(await assemble(echo()), { name: 'counting', limits, budget: true });
  // Where Node can suspend guests it has a lane.
  await nebula.deploy(await assemble(echo('', POLL)), { name: 'waiting', limits });
  await nebula.deploy(await assemble(echo('unreachable')), { name: 'trap', limits });
  return nebula;
}

const PIECE = new Uint8Array(65_536).map((_, at) => at % 251);

async function* pieces(count: number, onPiece: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) {
    onPiece();
    yield PIECE;
  }
}

/** Bytes that came, each of which must be the one that was sent. */
async function check(stdout: AsyncIterable<Uint8Array>): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of stdout) {
    for (const at of [0, chunk.length >> 1, chunk.length - 1]) {
      assert.equal(chunk[at], ((sizeBytes + at) % 65_536) % 251);
    }
    sizeBytes += chunk.length;
  }
  return sizeBytes;
}

/** An input that has one piece, and then nothing comes. */
async function* stalled(): AsyncGenerator<Uint8Array> {
  yield PIECE;
  await new Promise(() => undefined);
}

test('Nebula.stream() holds it against no function that a caller sent nothing and went', async () => {
  await using nebula = await open();
  for (const name of ['counting', 'waiting', 'echo']) {
    let counted = 1;
    // Between its echo and its wait a guest runs, and is stopped as any: on a busy machine some attempts meet it there.
    for (let attempt = 1; attempt <= 5 && counted > 0; attempt++) {
      const before = nebula.stats().executor.stops;
      const controller = new AbortController();
      const call = await nebula.stream(name, stalled(), { signal: controller.signal });
      assert.notEqual((await call.stdout.next()).done, true);
      await sleep(100 * attempt);
      controller.abort();
      assert.equal((await call.outcome).kind, 'aborted', name);
      counted = nebula.stats().executor.stops - before;
    }
    assert.equal(counted, 0, name);
  }
});

test('Nebula.stream() passes a body through in memory that does not grow with it', async () => {
  await using nebula = await open();
  for (const [name, mebibytes] of [
    ['echo', 1024],
    ['counting', 64],
    ['waiting', 64],
  ] as const) {
    const before = process.memoryUsage().rss;
    let mostBytes = 0;
    const look = (): void => void (mostBytes = Math.max(mostBytes, process.memoryUsage().rss));
    const call = await nebula.stream(name, pieces(16 * mebibytes, look));
    assert.equal(await check(call.stdout), mebibytes * 2 ** 20, name);
    const { kind, stdout, usage } = await call.outcome;
    assert.deepEqual([kind, stdout.length, usage.inputBytes], ['ok', 0, mebibytes * 2 ** 20]);
    assert.ok(mostBytes - before < 256 * 2 ** 20, `${mostBytes - before} bytes more of ${name}`);
  }
});

test('Nebula.invoke() reads a stream while its guest runs, and holds its output to outputBytes', async () => {
  await using nebula = await open();
  const outcome = await nebula.invoke('echo', new Blob(['abc', 'def']).stream());
  assert.deepEqual(
    [outcome.kind, Buffer.from(outcome.stdout).toString(), outcome.usage.inputBytes],
    ['ok', 'abcdef', 6],
  );
  const large = await nebula.invoke('echo', pieces(1));
  assert.deepEqual([large.kind === 'limit' && large.limit, large.stdout.length], ['outputBytes', 1000]);
  await assert.rejects(nebula.invoke('echo', 5 as never), { code: 'ERR_NEBULA_ARGUMENT' });
  const texts = new ReadableStream({ start: (controller) => controller.enqueue('text') });
  await assert.rejects(nebula.invoke('echo', texts), { name: 'TypeError', code: 'ERR_NEBULA_ARGUMENT' });
  await assert.rejects(nebula.invoke('echo', {} as never), { code: 'ERR_NEBULA_ARGUMENT' });
  await assert.rejects(nebula.stream('nobody'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  await assert.rejects(nebula.stream('echo', new Uint8Array(1001)), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
  const whole = await nebula.stream('echo', 'whole');
  const gathered: Uint8Array[] = [];
  for await (const piece of whole.stdout) gathered.push(piece);
  assert.equal(Buffer.concat(gathered).toString(), 'whole');
});

test('Nebula.stream() has its input wait for its guest, and its guest for the reader', async () => {
  await using nebula = await open();
  let sent = 0;
  const call = await nebula.stream(
    'echo',
    pieces(1000, () => sent++),
  );
  let before = -1;
  await until('nothing moves', () => {
    const isStill = before === sent && sent > 0;
    before = sent;
    return isStill;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  // Both rings, what the guest has, and what is on its way: 1 MiB and a little of 62.
  assert.ok(sent < 40, `${sent} pieces`);
  assert.equal(await check(call.stdout), 1000 * PIECE.length);
});

test('Nebula.stream() tells its reader how the guest ended, and ends a guest whose reader, caller or input is gone', async () => {
  await using nebula = await open();
  const trapped = await nebula.stream('trap', pieces(1));
  await assert.rejects(check(trapped.stdout), { code: 'ERR_NEBULA_GUEST_FAILED' });
  for (const name of ['echo', 'counting', 'waiting']) {
    const left = await nebula.stream(name, pieces(1000));
    for await (const _ of left.stdout) break;
    assert.notEqual((await left.outcome).kind, 'timeout', name);
    const gone = new AbortController();
    const aborted = await nebula.stream(name, pieces(1000), { signal: gone.signal });
    await aborted.stdout.next();
    gone.abort();
    await assert.rejects(check(aborted.stdout), { code: /CLIENT_CLOSED/ });
    assert.equal((await aborted.outcome).kind, 'aborted', name);
    const failing = (async function* () {
      yield PIECE;
      throw new Error('no more');
    })();
    await assert.rejects(nebula.invoke(name, failing), /no more/);
  }
  assert.equal(nebula.stats().executor.unitsReplaced, 0, 'none of them cost its thread');
  const late = await nebula.stream(
    'counting',
    (async function* () {
      yield PIECE;
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
    })(),
    { timeoutMs: 300 },
  );
  await assert.rejects(check(late.stdout), { code: 'ERR_NEBULA_DEADLINE' });
});

test("Nebula.stream() in the caller's own thread has whole bodies, under the limits of such", async () => {
  await using nebula = await open({ executor: 'in-thread' });
  const call = await nebula.stream('echo', new Blob(['abc']).stream());
  assert.equal(Buffer.from((await call.stdout.next()).value ?? []).toString(), 'abc');
  assert.equal((await call.outcome).kind, 'ok');
  await assert.rejects(nebula.stream('echo', pieces(1)), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
});

/** An input whose next piece never comes; `returned` counts who let go of it. */
function silent(): { readonly returned: () => number; readonly input: AsyncIterable<Uint8Array> } {
  let returned = 0;
  const iterator = {
    next: () => new Promise<never>(() => undefined),
    return: () => {
      returned++;
      return Promise.reject(new Error('nobody asks'));
    },
  };
  return { returned: () => returned, input: { [Symbol.asyncIterator]: () => iterator } };
}

/** Ends at once, and reads nothing. */
const QUICK = '(module (memory (export "memory") 1) (func (export "_start")))';

test('Nebula.stream() begins nothing for a signal that has aborted', async () => {
  for (const executor of ['worker', 'in-thread'] as const) {
    await using nebula = await open({ executor });
    const signal = AbortSignal.abort();
    for (const input of ['bytes', pieces(1)]) {
      await assert.rejects(nebula.stream('echo', input, { signal }), { code: 'ERR_NEBULA_CLIENT_CLOSED' });
    }
    assert.equal(nebula.stats().executor.running, 0);
  }
});

test('Nebula.stream() ends a guest whose stdout is left before it was read', async () => {
  await using nebula = await open();
  for (const name of ['echo', 'counting', 'waiting']) {
    const { stdout, outcome } = await nebula.stream(name, pieces(1000));
    await stdout.return();
    assert.notEqual((await outcome).kind, 'timeout', name);
    assert.deepEqual(await stdout.next(), { done: true, value: undefined });
    await until('it has ended', () => nebula.stats().executor.running === 0, 20_000);
  }
});

test('Nebula.invoke() lets go of an input once its guest has ended, and of one that does not come once it is aborted', async () => {
  await using nebula = await open();
  await nebula.deploy(await assemble(QUICK), { name: 'quick' });
  const { returned, input } = silent();
  assert.equal((await nebula.invoke('quick', input)).kind, 'ok');
  await until('it is let go of', () => returned() === 1);
  await using here = await open({ executor: 'in-thread' });
  const [gone, other] = [new AbortController(), silent()];
  const outcome = here.invoke('echo', other.input, { signal: gone.signal });
  setImmediate(() => gone.abort());
  assert.deepEqual([(await outcome).kind, other.returned()], ['aborted', 1]);
  const refused = silent();
  let sent = 0;
  const large = {
    next: async () => ({ done: ++sent > 2, value: PIECE }),
    return: () => refused.input[Symbol.asyncIterator]().return?.(),
  };
  await assert.rejects(here.invoke('echo', { [Symbol.asyncIterator]: () => large } as never), {
    code: 'ERR_NEBULA_INPUT_TOO_LARGE',
  });
  assert.deepEqual([sent, refused.returned()], [1, 1]);
});

test('startStreamed() gives back the place of a call that cannot begin', async () => {
  const clients = new ClientWatch(2, () => ({ running: 0, waiting: 0 }));
  const limits = { queueLength: 0, bufferBytes: 2 ** 60 };
  const target = { name: 'none', limits, isInThread: false, clients, invoke: () => assert.fail('nothing runs') };
  const request = { target, canStream: true, input: pieces(1), given: {}, signal: undefined };
  for (let at = 0; at < 2; at++) await assert.rejects(startStreamed(request as never), RangeError);
});

test('POST /invoke with Nebula-Stream passes bodies through while the guest runs, its outcome in trailers', async () => {
  const nebula = await open();
  const server = await startServer(nebula);
  const ask = (
    name: string,
  ): { readonly request: ReturnType<typeof httpRequest>; readonly answer: Promise<IncomingMessage> } => {
    const request = httpRequest(`${server.url}/invoke/${name}`, { method: 'POST', headers: { 'nebula-stream': '1' } });
    return {
      request,
      answer: new Promise((resolve, reject) => request.once('response', resolve).once('error', reject)),
    };
  };
  const whole = ask('echo');
  const sending = (async () => {
    for (let at = 0; at < 1024; at++) {
      if (!whole.request.write(PIECE)) await new Promise((resolve) => whole.request.once('drain', resolve));
    }
    whole.request.end();
  })();
  const response = await whole.answer;
  assert.equal(await check(response), 1024 * PIECE.length);
  await sending;
  assert.deepEqual([response.statusCode, response.trailers['nebula-outcome']], [200, 'ok']);
  const trapped = ask('trap');
  trapped.request.end();
  assert.equal((await trapped.answer).statusCode, 500);
  const gone = ask('echo');
  gone.request.write(PIECE);
  (await gone.answer).destroy();
  await until('its guest has ended', () => nebula.stats().executor.running === 0, 20_000);
  await server.close();
  await nebula.close();
});

test('POST /invoke with Nebula-Stream over HTTP/1.0 is answered whole, since a cut body would look whole', async () => {
  const nebula = await open();
  const server = await startServer(nebula);
  for (const [name, answer] of [
    ['echo', /^HTTP\/1\.1 200 [^]*\r\nNebula-Outcome: ok\r\n[^]*\r\nContent-Length: 3\r\n[^]*\r\n\r\nabc$/],
    ['trap', /^HTTP\/1\.1 500 [^]*\r\nNebula-Outcome: failed\r\n/],
  ] as const) {
    const connection = new RawConnection(server.url).write(
      `POST /invoke/${name} HTTP/1.0\r\nHost: h\r\nNebula-Stream: 1\r\nContent-Length: 3\r\n\r\nabc`,
    );
    await connection.closed;
    assert.match(connection.received, answer);
  }
  await server.close();
  await nebula.close();
});
