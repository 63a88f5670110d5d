import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCow } from '../../../host/linux/memory.ts';
import { assemble } from '../../wat.ts';
import { temporaryDirectory, tinyModule } from '../tiny-module.ts';
import { builtFunction, nebula } from './command.ts';

const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
  [['frobnicate'], /unknown command 'frobnicate'/],
  [['invoke'], /missing required argument 'file-or-name'/],
  [['invoke', 'a.wasm', '--timeout-ms', '-1'], /'--timeout-ms <ms>' argument '-1' is invalid. Expected an integer/],
  [['invoke', 'a.wasm', '--env', 'novalue'], /Expected NAME=VALUE/],
  [['invoke', 'a.wasm', '--mount', 'data'], /Expected GUEST\/PATH=MACHINE\/DIRECTORY/],
  [['invoke', 'no-such-name', '--arg', 'x'], /left out for a function on a server/],
  [['invoke', 'no-such-name', '--snapshot', 'x'], /left out for a function on a server/],
  [['snapshot', 'a.wasm'], /required option '-o, --out <file>' not specified/],
  [['serve', '--port', '99999'], /Expected an integer from 0 to 65535/],
  [['serve', '--watch'], /used with --functions/],
  [['list', '--token', ''], /Expected a text that is not empty/],
  [['list', '--url', 'nonsense'], /must be a URL/],
];

for (const [commandLine, message] of mistakes) {
  test(`nebula ${commandLine.join(' ')} is a usage error`, async () => {
    const { code, stdout, stderr } = await nebula(commandLine);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  });
}

test('nebula --help does not show the token of the environment', async () => {
  const { code, stdout } = await nebula(['list', '--help'], { environment: { NEBULA_TOKEN: 'very-secret' } });
  assert.equal(code, 0);
  assert.match(stdout, /NEBULA_TOKEN/);
  assert.doesNotMatch(stdout, /very-secret/);
});

test('nebula inspect says what a module is, as text and as JSON', async () => {
  const text = await nebula(['inspect', builtFunction('fibonacci/fibonacci.wasm')]);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /^kind +command, entry _start$/m);
  assert.match(text.stdout, /wasi_snapshot_preview1\.fd_write \(function\)/);
  const json = await nebula(['inspect', '--json', '--memory-mib', '2', builtFunction('fibonacci')]);
  const shown = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.equal(shown['name'], 'fibonacci');
  assert.equal((shown['memory'] as { limitPages: number }).limitPages, 32);
  assert.match(String(shown['digest']), /^[0-9a-f]{64}$/);
  assert.equal(shown['restorable'], true);
  const cow = hasCow().ok ? ['cow'] : [];
  assert.deepEqual(shown['strategies'], ['fresh', 'copy', ...cow]);
});

test('nebula inspect says what runs before a snapshot, what the code does, and what is exact for it', async (context) => {
  const reactor = await nebula(['inspect', builtFunction('lookup')]);
  assert.match(reactor.stdout, /^init +_initialize, then nebula_init$/m);
  assert.match(reactor.stdout, /^code +grows memory$/m);
  assert.match(reactor.stdout, /^restore +auto of fresh, copy.*; memory, globals and tables can all be put back/m);
  const path = join(temporaryDirectory(context), 'tiny.wasm');
  writeFileSync(path, tinyModule());
  const tiny = await nebula(['inspect', path]);
  assert.match(tiny.stdout, /^init +nothing$/m);
  assert.match(tiny.stdout, /^code +neither grows memory nor changes tables nor drops segments$/m);
});

test('nebula inspect tells which imports are missing where the manifest allows that, and refuses them elsewhere', async (context) => {
  const folder = temporaryDirectory(context);
  const source =
    '(module (import "env" "log" (func (param i32))) (memory (export "memory") 1) (func (export "_start")))';
  writeFileSync(join(folder, 'f.wasm'), await assemble(source));
  writeFileSync(join(folder, 'nebula.json'), JSON.stringify({ name: 'f', allow: { missingImports: 'trap' } }));
  const text = await nebula(['inspect', folder]);
  assert.match(text.stdout, /^missing +env\.log: a trap when it is called$/m);
  const json = JSON.parse((await nebula(['inspect', '--json', folder])).stdout) as Record<string, unknown>;
  assert.deepEqual(json['missingImports'], [{ module: 'env', name: 'log' }]);
  assert.match(
    (await nebula(['inspect', join(folder, 'f.wasm')])).stderr,
    /unknown imports \(1\): env\.log \(function\)/,
  );
});

test('nebula inspect refuses what could not be deployed, in one line that says what to do', async (context) => {
  const path = join(temporaryDirectory(context), 'broken.wasm');
  writeFileSync(path, tinyModule().subarray(0, 20));
  const { code, stdout, stderr } = await nebula(['inspect', path]);
  assert.equal(code, 3);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^nebula: Cannot read the module: .* at byte \d+ \(check that it is a module or component of WebAssembly, and whole\)\n$/,
  );
  const missing = await nebula(['inspect', '--json', `${path}.not`]);
  assert.equal(missing.code, 3);
  const { error } = JSON.parse(missing.stderr) as { error: { code: string } };
  assert.equal(error.code, 'ERR_NEBULA_FILE_UNREADABLE');
});

/** A module with an export that would clear the screen and look like another row. */
const evil = (names: readonly string[]): string =>
  `(module ${names.join('')} (func (export "_start")) (func (export "\\1b[2J\\0aexports    none\\c2\\9b\\e2\\80\\ae")))`;

test('nebula shows no character of a module that moves a cursor or ends a line', async (context) => {
  const path = join(temporaryDirectory(context), 'evil.wasm');
  writeFileSync(path, await assemble(evil([])));
  const inspected = await nebula(['inspect', path]);
  assert.equal(inspected.code, 0, inspected.stderr);
  assert.match(inspected.stdout, /^ +\\u\{1b\}\[2J\\u\{a\}exports {4}none\\u\{9b\}\\u\{202e\} \(function\)$/m);
  writeFileSync(path, await assemble(evil(['(import "e\\1b[31m" "x\\07" (func))'])));
  const refused = await nebula(['invoke', path]);
  assert.match(refused.stderr, /unknown imports \(1\): e\\u\{1b\}\[31m\.x\\u\{7\} \(function\)/);
});
