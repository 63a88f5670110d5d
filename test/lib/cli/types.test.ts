/** `nebula types`: what it writes makes calls by name typed, and refuses wrong ones when compiled. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const cli = join(root, 'dist', 'lib', 'cli', 'main.js');
const scratch = mkdtempSync(join(tmpdir(), 'nebula-types-'));

const TEXT = `(component
  (core module $m
    (func (export "double") (param i64) (result i64) (i64.mul (local.get 0) (i64.const 2)))
    (func (export "count") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func $double (param "a" u64) (result u64) (canon lift (core func $i "double")))
  (instance $sums (export "double-it" (func $double)))
  (export "test:math/sums@1.2.3" (instance $sums))
  (func (export "count-all") (result u32) (canon lift (core func $i "count"))))`;

before(async () => {
  writeFileSync(join(scratch, 'math.wasm'), await parse(TEXT));
  execFileSync(process.execPath, [cli, 'types', join(scratch, 'math.wasm'), '-o', join(scratch, 'types')]);
});

after(() => rmSync(scratch, { recursive: true, force: true }));

function compile(body: string): string {
  const use = join(scratch, 'use.ts');
  writeFileSync(
    use,
    `import type { Nebula } from ${JSON.stringify(join(root, 'dist', 'lib', 'index.js'))};
import type { Calls } from './types/calls.js';
export async function use(nebula: Nebula): Promise<void> {
  const math = nebula.fn<Calls>('math');
  ${body}
}
`,
  );
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const flags = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,dom',
  ];
  const { stdout } = spawnSync(process.execPath, [compiler, ...flags, '--ignoreConfig', use], {
    cwd: root,
    encoding: 'utf8',
  });
  return stdout;
}

test('nebula types names each exported function as call() takes it', () => {
  const calls = readFileSync(join(scratch, 'types', 'calls.d.ts'), 'utf8');
  assert.match(calls, /'test:math\/sums#double-it': \(typeof TestMathSums\)\['doubleIt'\];/);
  assert.match(calls, /'count-all': Root\['countAll'\];/);
});

test('nebula types writes what makes right calls compile and wrong ones fail', () => {
  const right = `const doubled: bigint = await math.call('test:math/sums#double-it', 2n);
  const counted: number = await math.call('count-all');
  const anything: unknown = await nebula.fn('other').call('any:pkg/iface#name', 1, 'two');
  void [doubled, counted, anything];`;
  assert.equal(compile(right), '');
  assert.match(compile(`await math.call('test:math/sums#double-it', 2);`), /TS2345/);
  assert.match(compile(`await math.call('test:math/sums#other');`), /TS2345/);
  assert.match(compile(`const text: string = await math.call('count-all'); void text;`), /TS2322/);
});

test('nebula types refuses a core module', () => {
  const args = [cli, 'types', join(root, 'functions', 'noop', 'noop.wasm'), '-o', join(scratch, 'none')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /a core module has no types/);
});
