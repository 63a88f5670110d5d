/** A function that keeps ending its threads, or holds them for long, leaves the others at least half of what they had. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { CountingWish } from '../../../host/definition/budget.ts';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import type { Outcome } from '../../../host/outcome.ts';
import type { Executor } from '../../../pools/executor.ts';
import { BUSY_SHARE, deploy, deployMany, input, median, openPool, stdoutOf, until, watchMachine } from '../fixture.ts';

const PERIOD_MS = 400;
const PERIODS = 5;
/** Whole runs, of which one must do: another program on the machine may take what a period counts. */
const RUNS = 4;
const CALLERS = 4;

interface Refusal {
  readonly code: string;
  readonly retryable: boolean;
  readonly fields: { readonly retryAfterMs: number };
}

const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

type Ended = Outcome['kind'] | 'ERR_NEBULA_FUNCTION_PAUSED' | 'ERR_NEBULA_QUEUE_FULL';

/** How a call ended, refusals for want of a thread included. */
async function endingOf(call: Promise<Outcome>): Promise<Ended> {
  try {
    return (await call).kind;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ERR_NEBULA_FUNCTION_PAUSED' || code === 'ERR_NEBULA_QUEUE_FULL') return code;
    throw error;
  }
}

/** What keeps calling while `load.isOn`. Nobody waits for long, so that a period ends when it should. */
async function keepCalling(
  pool: Executor,
  definition: FunctionDefinition,
  text: string,
  load: { readonly isOn: boolean },
): Promise<void> {
  while (load.isOn) {
    const ended = await endingOf(pool.invoke(definition, { ...input(text), timeoutMs: PERIOD_MS }));
    if (ended.startsWith('ERR_')) await sleep(5);
  }
}

/** What a neighbour that is called all the time has beside others, as a share of what it has alone. */
async function shareOf(pool: Executor, near: FunctionDefinition, text: string, begin: Begin): Promise<number> {
  const near_ = { isOn: true };
  let answered = 0;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (near_.isOn) {
      assert.equal((await pool.invoke(near, input(text))).kind, 'ok');
      answered++;
    }
  });
  const count = async (): Promise<number> => {
    answered = 0;
    const startedMs = performance.now();
    await sleep(PERIOD_MS);
    return answered / (performance.now() - startedMs);
  };
  const [alone, beside]: [number[], number[]] = [[], []];
  for (let period = 0; period < PERIODS; period++) {
    alone.push(await count());
    const load = { isOn: true };
    const others = begin(load);
    beside.push(await count());
    load.isOn = false;
    await Promise.all(others);
  }
  near_.isOn = false;
  await Promise.all(callers);
  return median(beside) / median(alone);
}

type Begin = (load: { readonly isOn: boolean }) => readonly Promise<void>[];

/** What is asked for where nothing else takes the machine's time. */
const LEAST = 0.5;

async function assertShare(
  open: () => Promise<readonly [Executor, FunctionDefinition, Begin]>,
  text = '',
): Promise<void> {
  const shares: number[] = [];
  const takenByOthers = watchMachine();
  for (let run = 0; run < RUNS; run++) {
    const [pool, near, begin] = await open();
    shares.push(await shareOf(pool, near, text, begin));
    await pool.close(0);
    if ((shares.at(-1) ?? 0) >= LEAST) return;
  }
  // Threads that start take time of their own, which a machine that others keep busy takes from the neighbour.
  if (takenByOthers() > BUSY_SHARE && Math.max(...shares) >= (LEAST * 2) / 3) return;
  assert.fail(`the neighbour had ${shares.map((share) => share.toFixed(2)).join(', ')} of what it had alone`);
}

/** Loops of so many functions, at a concurrency of 1 each, whose code counts units or does not. */
function loops(context: TestContext, count: number, timeoutMs: number, wish: CountingWish = 'never'): Promise<void> {
  return assertShare(async () => {
    const pool = openPool(context);
    const near = await deploy(pool, 'noop');
    for (let call = 0; call < 20; call++) await pool.invoke(near, input());
    const limits = { timeoutMs, concurrency: 1 };
    const looping = await deployMany(pool, 'guests/forever', count, { wish, limits });
    return [pool, near, (load) => looping.map((each) => keepCalling(pool, each, '', load))] as const;
  });
}

test('invoke() leaves a neighbour half beside a function that keeps running into its deadline', (context) =>
  loops(context, 1, 5));

test('invoke() leaves a neighbour half beside twenty functions that keep running into their deadlines', (context) =>
  loops(context, 20, 5));

for (const timeoutMs of [5, 50]) {
  test(`invoke() leaves a neighbour half beside a function that counts and loops for ${timeoutMs} ms a call`, (context) =>
    loops(context, 1, timeoutMs, 'always'));

  test(`invoke() leaves a neighbour half beside twenty functions that count and loop for ${timeoutMs} ms a call`, (context) =>
    loops(context, 20, timeoutMs, 'always'));
}

test('invoke() leaves a neighbour half beside many calls that end just before their deadline', (context) =>
  assertShare(async () => {
    const pool = openPool(context);
    const near = await deploy(pool, 'noop');
    for (let call = 0; call < 20; call++) await pool.invoke(near, input());
    const spin = await deploy(pool, 'guests/spin-then-answer', { limits: { timeoutMs: 5_000 } });
    return [pool, near, (load) => Array.from({ length: 30 }, () => keepCalling(pool, spin, '60', load))] as const;
  }));

test('invoke() pauses a function that keeps running into its deadline, tells for how long, and takes it back', async (context) => {
  const pool = openPool(context);
  const [forever] = await deployMany(pool, 'guests/forever', 1, { limits: { timeoutMs: 5 } });
  const echo = await deploy(pool, 'echo');
  assert.ok(forever !== undefined);
  const calls = Array.from({ length: 30 }, () => pool.invoke(forever, input()));
  const ended = await Promise.all(calls.map(endingOf));
  assert.ok(ended.filter((kind) => kind === 'timeout').length >= 4, ended.join(' '));
  assert.ok(ended.filter((kind) => kind === 'ERR_NEBULA_FUNCTION_PAUSED').length > 20, 'those that wait are refused');
  // It comes back, and is paused for longer each time.
  const pausesMs: number[] = [];
  while (pausesMs.length < 3) {
    const failure: Refusal | undefined = await pool.invoke(forever, input()).then(
      () => undefined,
      (error: Refusal) => error,
    );
    if (failure === undefined) continue;
    assert.deepEqual([failure.code, failure.retryable], ['ERR_NEBULA_FUNCTION_PAUSED', true]);
    const [paused] = pool.stats().paused ?? [];
    // The rest of a pause may be over by now.
    if (paused === undefined) continue;
    assert.ok(paused.endings >= 5 && paused.forMs <= failure.fields.retryAfterMs);
    assert.equal(paused.name, forever.name);
    pausesMs.push(failure.fields.retryAfterMs);
    await until('it may be called again', () => pool.stats().paused?.length === 0, 20_000);
  }
  assert.ok((pausesMs[2] ?? 0) > (pausesMs[0] ?? 0), pausesMs.join(' '));
  assert.ok((pool.stats().pauses ?? 0) >= 3);
  assert.equal(stdoutOf(await pool.invoke(echo, input('others go on'))), 'others go on');
});

test('invoke() pauses a function whose running calls keep being aborted', async (context) => {
  const pool = openPool(context);
  const forever = await deploy(pool, 'guests/forever');
  const seen = new Set<Ended>();
  // One that is aborted before its thread has taken it up costs nothing.
  for (let call = 0; call < 1_000 && seen.size < 2; call++) {
    const controller = new AbortController();
    const ending = endingOf(pool.invoke(forever, input(), controller.signal));
    await Promise.race([ending, until('it runs', () => pool.stats().running === 1, 20_000)]);
    controller.abort();
    seen.add(await ending);
  }
  assert.deepEqual([...seen].sort(), ['ERR_NEBULA_FUNCTION_PAUSED', 'aborted']);
});

test('invoke() holds a deadline now and then against no function', async (context) => {
  const pool = openPool(context);
  const spin = await deploy(pool, 'guests/spin-then-answer');
  for (let round = 0; round < 4; round++) {
    assert.equal((await pool.invoke(spin, { ...input('600000'), timeoutMs: 20 })).kind, 'timeout');
    for (let call = 0; call < 3; call++) assert.equal((await pool.invoke(spin, input('1'))).kind, 'ok');
  }
  assert.deepEqual([pool.stats().paused, pool.stats().pauses], [[], 0]);
});
