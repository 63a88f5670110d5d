import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory, tinyModule } from '../tiny-module.ts';
import { assemble } from '../../wat.ts';
import { requirePart } from '../../require.ts';
import { builtFunction, nebula, shell, shellEnvironment, startNebula } from './command.ts';

const fibonacci = builtFunction('fibonacci/fibonacci.wasm');

test("nebula invoke FILE prints the guest's answer and nothing else", async () => {
  const module = await nebula(['invoke', fibonacci], { input: '30\n' });
  assert.deepEqual({ ...module, stdout: module.stdout.trimEnd() }, { code: 0, stdout: '832040', stderr: '' });
  const folder = await nebula(['invoke', builtFunction('fibonacci')], { input: '30' });
  assert.equal(folder.stdout.trimEnd(), '832040', folder.stderr);
  const beside = await nebula(['invoke', fibonacci, '--manifest', builtFunction('fibonacci/nebula.json')], {
    input: '10',
  });
  assert.equal(beside.stdout.trimEnd(), '55', beside.stderr);
  const untimed = await nebula(['invoke', fibonacci, '--timeout-ms', '0'], { input: '10' });
  assert.equal(untimed.stdout.trimEnd(), '55', untimed.stderr);
});

test('nebula invoke carries bytes through as they are', async () => {
  const child = startNebula(['invoke', builtFunction('echo/echo.wasm')]);
  const sent = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 256));
  child.stdin.end(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(sent));
});

test("nebula invoke passes the guest's exit code and stderr through", async () => {
  const { code, stdout, stderr } = await nebula(['invoke', builtFunction('guests/exit-3/exit-3.wasm')]);
  assert.equal(code, 3);
  assert.doesNotMatch(stdout + stderr, /nebula:/);
});

const failures: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['trap-unreachable', [], /^nebula: the guest trapped: unreachable$/m],
  ['forever', ['--timeout-ms', '100'], /^nebula: the guest did not end within 100 ms \(raise it with --timeout-ms\)$/m],
  ['write-forever', [], /^nebula: the guest reached its limit outputBytes of 33554432 /m],
];

for (const [guest, options, message] of failures) {
  test(`nebula invoke ends with 1 and one line for ${guest}`, async () => {
    const { code, stderr } = await nebula(['invoke', builtFunction(`guests/${guest}/${guest}.wasm`), ...options]);
    assert.equal(code, 1);
    assert.match(stderr, message);
    assert.equal(stderr.split('\n').filter((line) => line.startsWith('nebula:')).length, 1);
  });
}

test('nebula invoke gives arguments and variables, and nothing of its own environment', async () => {
  const { stdout, stderr } = await nebula(
    ['invoke', builtFunction('guests/env-dump/env-dump.wasm'), '--arg', '-x', '--arg', 'é', '--env', 'A=b=c'],
    { environment: { SECRET: 'of the machine' } },
  );
  assert.match(stdout, /"-x"/, stderr);
  assert.match(stdout, /"é"/);
  assert.match(stdout, /variable "A" "b=c"/);
  assert.doesNotMatch(stdout, /SECRET|PATH/);
});

test('nebula invoke --mount shows a directory, and nothing without it', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'note.txt'), 'from the machine');
  const module = builtFunction('guests/read-file/read-file.wasm');
  const mounted = await nebula(['invoke', module, '--mount', `/data=${directory}`], { input: '/data/note.txt' });
  assert.deepEqual(mounted, { code: 0, stdout: 'from the machine', stderr: '' });
  const bare = await nebula(['invoke', module], { input: join(directory, 'note.txt') });
  assert.notEqual(bare.code, 0);
  assert.doesNotMatch(bare.stdout, /machine/);
});

test('nebula invoke --json tells the whole outcome', async () => {
  const ok = JSON.parse((await nebula(['invoke', fibonacci, '--json'], { input: '10' })).stdout) as Record<
    string,
    unknown
  >;
  assert.equal(ok['kind'], 'ok');
  assert.equal(String(ok['stdout']).trimEnd(), '55');
  assert.ok((ok['phases'] as { run: number }).run > 0);
  const exited = await nebula(['invoke', '--json', builtFunction('guests/exit-3/exit-3.wasm')]);
  assert.equal(exited.code, 3);
  assert.equal((JSON.parse(exited.stdout) as { exitCode: number }).exitCode, 3);
});

test('nebula invoke ends with 3 for what cannot run, at once even when its input never ends', async (context) => {
  const path = join(temporaryDirectory(context), 'half.wasm');
  writeFileSync(path, tinyModule().subarray(0, 12));
  const child = startNebula(['invoke', path]);
  context.after(() => child.kill('SIGKILL'));
  const code = await new Promise((done) => child.on('close', done));
  assert.equal(code, 3);
});

const dump = builtFunction('guests/env-dump/env-dump.wasm');

test('nebula invoke hands on what follows the function, after -- with dashes too', async () => {
  const { stdout, code } = await nebula(['invoke', dump, 'a', '--arg', 'first', '--', '-x', '--timeout-ms', '']);
  assert.equal(code, 0);
  const shown = ['env-dump', 'first', 'a', '-x', '--timeout-ms', ''].map((text) => `argument "${text}"\n`);
  assert.equal(stdout, shown.join(''));
});

const WITH_BYTES = `exec "$NODE" "$MAIN" invoke "$TARGET" --env "A=$(printf '\\303\\376')" -- "$(printf '\\377\\303\\274')" </dev/null`;

test('nebula invoke hands on bytes that are no UTF-8, to modules', async () => {
  const { stdout, stderr, code } = await shell(WITH_BYTES, dump);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^argument "\\xFFü"$/m);
  assert.match(stdout, /^variable "A" "\\xC3\\xFE"$/m);
  const component = await shell(WITH_BYTES, builtFunction('components/hello/hello.wasm'));
  assert.equal(component.code, 3);
  assert.match(component.stderr, /must be UTF-8 unless the guest is a core module, got "\\udcff/);
});

test('nebula invoke refuses a directory as its input', async () => {
  const { stdout, stderr, code } = await shell('exec "$NODE" "$MAIN" invoke "$TARGET" < .', fibonacci);
  assert.deepEqual([code, stdout], [3, '']);
  assert.match(stderr, /^nebula: Cannot read "standard input": it is a directory/);
});

const hasScript = spawnSync('script', ['--version']).status === 0;

test('nebula invoke reads a terminal', {
  skip: requirePart('script', hasScript, 'it is not installed'),
}, async (context) => {
  const command = '"$NODE" "$MAIN" invoke "$TARGET"';
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: shellEnvironment(fibonacci) });
  context.after(() => child.kill('SIGKILL'));
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  // What is typed, and the end of it.
  child.stdin.write('10\n\u0004');
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  assert.match(seen, /^55\r?$/m);
});

/** Writes a line to each of its streams, then goes on without end. */
const TALKER = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "first\\n")
  (data (i32.const 32) "oh\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 32)) (i32.store (i32.const 4) (i32.const 3))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $on (br $on))))`;

for (const timeoutMs of ['0', '600000']) {
  test(`nebula invoke --timeout-ms ${timeoutMs} passes on what a guest writes while it runs`, async (context) => {
    const path = join(temporaryDirectory(context), 'talker.wasm');
    writeFileSync(path, await assemble(TALKER));
    const child = startNebula(['invoke', path, '--timeout-ms', timeoutMs]);
    context.after(() => child.kill('SIGKILL'));
    child.stdin.end();
    const [said, complaint] = await Promise.all([once(child.stdout, 'data'), once(child.stderr, 'data')]);
    assert.deepEqual([String(said[0]), String(complaint[0])], ['first\n', 'oh\n']);
    assert.equal(child.exitCode, null);
  });
}

test('nebula invoke loses nothing of what a guest wrote before its deadline', async (context) => {
  const path = join(temporaryDirectory(context), 'talker.wasm');
  writeFileSync(path, await assemble(TALKER));
  const { code, stdout, stderr } = await nebula(['invoke', path, '--timeout-ms', '3000']);
  assert.deepEqual([code, stdout], [1, 'first\n']);
  assert.match(stderr, /^oh\nnebula: the guest did not end within 3000 ms/);
});

test('nebula invoke waits for a reader that is slow, and is not hurt by one that went away', async () => {
  const slow = await shell(
    'head -c 3000000 "$NODE" | "$NODE" "$MAIN" invoke "$TARGET" | (sleep 1; cksum); head -c 3000000 "$NODE" | cksum',
    builtFunction('echo/echo.wasm'),
  );
  const [got, sent] = slow.stdout.trim().split('\n');
  assert.equal(got, sent);
  assert.equal(slow.stderr, '');
  const gone = await shell(
    '"$NODE" "$MAIN" invoke "$TARGET" --timeout-ms 60000 | head -c 5 > /dev/null',
    builtFunction('guests/write-forever/write-forever.wasm'),
  );
  assert.match(gone.stderr, /^nebula: the guest reached its limit outputBytes of 33554432 .*\n$/);
});

const skipFull = existsSync('/dev/full') ? false : 'needs /dev/full';

test('nebula invoke says what keeps it from writing the output', { skip: skipFull }, async () => {
  const { stderr } = await shell('echo 30 | "$NODE" "$MAIN" invoke "$TARGET" > /dev/full', fibonacci);
  assert.match(
    stderr,
    /^nebula: Cannot pass on what the guest writes to descriptor 1: ENOSPC: .* \(write it elsewhere\)\n$/,
  );
});
