/** Each test-only guest does what its name says: other tests rely on it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capabilities } from '../../host/capabilities/capabilities.ts';
import type { MemoryMount } from '../../host/capabilities/mounts/schema.ts';
import { answerOf, readyFunction, type Given } from './answer.ts';

const MIB = 1024 * 1024;
const ERRNO_NOTCAPABLE = 76;

async function textOf(name: string, input = '', given: Given = {}): Promise<string> {
  const { ending, stdout } = await answerOf(`guests/${name}`, input, given);
  assert.deepEqual(ending, { kind: 'ok' });
  return String(stdout);
}

function mounted(files: MemoryMount['files'], args: readonly string[] = []): Given {
  const capabilities: Partial<Capabilities> = {
    mounts: [{ guest: '/data', files, access: 'read-write' }],
    arguments: args,
  };
  return { capabilities };
}

test('forever never answers', async () => {
  const { ending } = await answerOf('guests/forever', '', { limits: { timeoutMs: 50 } });
  assert.equal(ending.kind, 'timeout');
});

test('grow-forever reaches the memory limit', async () => {
  const { ending, stderr } = await answerOf('guests/grow-forever', '', { limits: { memoryBytes: 16 * MIB } });
  assert.deepEqual(ending, { kind: 'limit', limit: 'memoryBytes', allowed: 16 * MIB });
  assert.match(stderr, /^Cannot grow beyond 1[2-5] MiB\n$/);
});

test('trap-unreachable traps after a line on stderr', async () => {
  const { ending, stderr } = await answerOf('guests/trap-unreachable', '');
  assert.equal(ending.kind === 'trap' && ending.reason, 'unreachable');
  assert.equal(stderr, 'before the trap\n');
});

test('stack-overflow ends the call stack, not the memory', async () => {
  const { ending } = await answerOf('guests/stack-overflow', '');
  assert.equal(ending.kind === 'trap' && ending.reason, 'stack-overflow');
});

test('write-forever reaches the output limit', async () => {
  const { ending, stdout } = await answerOf('guests/write-forever', '', { limits: { outputBytes: 100_000 } });
  assert.deepEqual(ending, { kind: 'limit', limit: 'outputBytes', allowed: 100_000 });
  assert.ok(stdout.length <= 100_000);
});

test('exit-3 writes to both outputs and exits with 3', async () => {
  const { ending, stdout, stderr } = await answerOf('guests/exit-3', '');
  assert.deepEqual(
    [ending, String(stdout), stderr],
    [{ kind: 'exit', exitCode: 3 }, 'before the exit\n', 'exits with 3\n'],
  );
});

test('env-dump shows its arguments in order and its environment by name, non-ASCII whole', async () => {
  const capabilities = { arguments: ['ø', 'a b'], environment: { Z: '1', Å: 'æ' } };
  const shown = await textOf('env-dump', '', { capabilities });
  assert.deepEqual(shown.split('\n').slice(1), [
    'argument "ø"',
    'argument "a b"',
    'variable "Z" "1"',
    'variable "Å" "æ"',
    '',
  ]);
});

test('open-outside is refused everywhere outside, and opens what is inside', async () => {
  const shown = await textOf('open-outside', 'inside\n', mounted({ inside: 'here' }));
  const lines = shown.trim().split('\n');
  const outside = lines.filter((line) => !line.includes('"inside"'));
  assert.equal(outside.length, 8 * 4);
  const told = outside.filter((line) => !line.endsWith(` errno ${ERRNO_NOTCAPABLE}`));
  assert.ok(
    told.every((line) => line.includes('"a/../../outside" errno ')),
    told.join('\n'),
  );
  assert.ok(lines.includes('3 open "inside" opened "here"'), shown);
});

test('spin-then-answer is busy for as long as it is told', async () => {
  const startedMs = performance.now();
  assert.equal(await textOf('spin-then-answer', '60\n'), 'spun for 60 ms\n');
  assert.ok(performance.now() - startedMs >= 60);
});

test('read-file, write-file and list-directory use the path they are given', async () => {
  assert.equal(await textOf('read-file', '/data/a\n', mounted({ a: 'text' })), 'text');
  assert.equal(await textOf('read-file', '', mounted({ a: 'text' }, ['/data/a'])), 'text');
  assert.equal(await textOf('write-file', '/data/b\nmore', mounted({})), 'wrote 4 bytes\n');
  assert.equal(await textOf('list-directory', '/data', mounted({ b: '', 'a/c': '' })), 'a directory\nb file\n');
  const missing = await answerOf('guests/read-file', '/data/none', mounted({}));
  assert.match(missing.stderr, /^Cannot read "\/data\/none": /);
});

test('random-dump draws anew in each call', async () => {
  const ready = await readyFunction('guests/random-dump');
  const [first, second] = [String(ready.answer('').stdout), String(ready.answer('').stdout)];
  ready.close();
  assert.match(first, /^[0-9a-f]{64}\n[0-9a-f]{16}\n$/);
  const [bytes = '', hash = ''] = first.split('\n');
  assert.ok(!second.includes(bytes) && !second.includes(hash));
});

test('clock-dump reads the real time and a monotonic clock that moves on', async () => {
  const beforeMs = Date.now();
  const [, nanoseconds = '', moved = ''] =
    /^realtime (\d+) \d+\nmonotonic (\d+)\n$/.exec(await textOf('clock-dump')) ?? [];
  assert.ok(Number(nanoseconds) / 1e6 >= beforeMs - 1);
  assert.ok(Number(moved) > 0);
});

test('count-calls and keep-secret find nothing of the call before', async () => {
  for (const [name, fresh] of [
    ['count-calls', '1 1\n'],
    ['keep-secret', 'static ""\nheap ""\n'],
  ] as const) {
    const ready = await readyFunction(`guests/${name}`);
    for (let call = 0; call < 5; call++) assert.equal(String(ready.answer(`secret ${call}`).stdout), fresh, name);
    ready.close();
  }
});

function cgiAnswer(path: string, input = ''): Promise<string> {
  const environment = { PATH_INFO: path, REQUEST_METHOD: 'POST' };
  return textOf('cgi-hello', input, { capabilities: { environment } });
}

test('cgi-hello answers as PATH_INFO asks', async () => {
  assert.match(
    await cgiAnswer('/', 'body'),
    /^Content-Type: text\/plain.*\n\nREQUEST_METHOD=POST\n[^]*body of 4 bytes\n$/,
  );
  assert.match(await cgiAnswer('/echo', 'body'), /\r\n\r\nbody$/);
  assert.match(await cgiAnswer('/status/418'), /^Status: 418 As Asked\n/);
  assert.match(await cgiAnswer('/redirect'), /^Location: https:\/\/example.org\/\n\n$/);
});

test('init-random, init-trap and init-forever cannot be deployed', async () => {
  await assert.rejects(answerOf('guests/init-random', ''), { code: 'ERR_NEBULA_INIT_NONDETERMINISTIC' });
  await assert.rejects(answerOf('guests/init-trap', ''), { code: 'ERR_NEBULA_INIT_FAILED' });
  const limits = { timeoutMs: 50 };
  await assert.rejects(answerOf('guests/init-forever', '', { limits }), { code: 'ERR_NEBULA_INIT_FAILED' });
});

test('generate makes the same input each time and refuses what it does not know', async () => {
  assert.equal(await textOf('generate', 'words 100'), await textOf('generate', 'words 100'));
  assert.equal((await textOf('generate', 'words 100')).length, 100);
  assert.equal((JSON.parse(await textOf('generate', 'orders 7')) as unknown[]).length, 7);
  const refused = await answerOf('guests/generate', 'nothing 1');
  assert.match(refused.stderr, /expected "bytes", "words", "orders" or "picture" and a size/);
});

test('spawn-threads is given no thread', async () => {
  const { ending, stderr } = await answerOf('guests/spawn-threads', '1');
  assert.deepEqual(ending, { kind: 'exit', exitCode: 1 });
  assert.match(stderr, /^Cannot start thread 1: /);
});
