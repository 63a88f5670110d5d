/** Ten thousand calls of all kinds: every one is answered as it must be, and nothing is left behind. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Outcome } from '../../host/outcome.ts';
import { deploy, input, openPool, stdoutOf, until } from './fixture.ts';

const CALLS = 10_000;
const CALLERS = 16;
const MIB = 1024 * 1024;

interface Kind {
  readonly definition: FunctionDefinition;
  readonly text: string;
  readonly isRight: (outcome: Outcome) => boolean;
}

/** A repeatable sequence of numbers from 0 to 999. */
function* numbers(): Generator<number, never> {
  for (let state = 7; ; ) {
    state = (state * 48_271) % 2_147_483_647;
    yield state % 1000;
  }
}

/** 5 % do what a guest should not. */
function choose(number: number): string {
  if (number < 2) return 'forever';
  if (number < 17) return 'exit';
  if (number < 34) return 'trap';
  if (number < 50) return 'grow';
  return ['noop', 'fibonacci', 'echo', 'exit'][number % 4] as string;
}

function collectedRssBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
}

test('invoke() answers 10,000 mixed calls, loses no thread, and memory stays flat', {
  timeout: 300_000,
}, async (context) => {
  const pool = openPool(context, { threads: 2 });
  const kinds: Record<string, Kind> = {
    noop: { definition: await deploy(pool, 'noop'), text: '', isRight: ({ kind }) => kind === 'ok' },
    fibonacci: {
      definition: await deploy(pool, 'fibonacci'),
      text: '30',
      isRight: (outcome) => stdoutOf(outcome).trim() === '832040',
    },
    echo: {
      definition: await deploy(pool, 'echo'),
      text: 'x'.repeat(1000),
      isRight: (outcome) => outcome.stdout.length === 1000,
    },
    exit: {
      definition: await deploy(pool, 'guests/exit-3'),
      text: '',
      isRight: (outcome) => outcome.kind === 'exit' && outcome.exitCode === 3,
    },
    forever: {
      definition: await deploy(pool, 'guests/forever', { limits: { timeoutMs: 8 } }),
      text: '',
      isRight: ({ kind }) => kind === 'timeout',
    },
    trap: {
      definition: await deploy(pool, 'guests/trap-unreachable'),
      text: '',
      isRight: ({ kind }) => kind === 'trap',
    },
    grow: {
      definition: await deploy(pool, 'guests/grow-forever', { limits: { memoryBytes: 4 * MIB } }),
      text: '',
      isRight: (outcome) => outcome.kind === 'limit' && outcome.limit === 'memoryBytes',
    },
  };
  const seen: Record<string, number> = {};
  const rssBytes: number[] = [];
  const sequence = numbers();
  let answered = 0;
  let begun = 0;
  const call = async (): Promise<void> => {
    while (begun < CALLS) {
      begun++;
      const name = choose(sequence.next().value);
      const { definition, text, isRight } = kinds[name] as Kind;
      const outcome = await pool.invoke(definition, input(text)).catch((error: { code?: string }) => {
        // One that never ends may be paused for that.
        if (name !== 'forever' || error.code !== 'ERR_NEBULA_FUNCTION_PAUSED') throw error;
      });
      answered++;
      if (answered === 2000 || answered === CALLS) rssBytes.push(collectedRssBytes());
      if (outcome === undefined) continue;
      assert.ok(isRight(outcome), `${name}: ${JSON.stringify(outcome)}`);
      seen[name] = (seen[name] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  assert.equal(answered, CALLS);
  assert.ok((seen['forever'] ?? 0) > 3 && (seen['trap'] ?? 0) > 100 && (seen['grow'] ?? 0) > 100);
  await until('all threads are back', () => pool.stats().units === 3);
  const stats = pool.stats();
  assert.deepEqual([stats.running, stats.waiting, stats.unitsReplaced], [0, 0, seen['forever']]);
  const [first = 0, last = 0] = rssBytes;
  assert.ok(last <= first * 1.1 + 20 * MIB, `${first} bytes after 2,000 calls, ${last} at the end`);
  await pool.close(0);
  assert.equal(pool.stats().memories, 0);
  if (process.platform !== 'linux') return;
  // The main thread, V8's and libuv's own threads, and some to spare.
  assert.ok(readdirSync('/proc/self/task').length < 30);
});
