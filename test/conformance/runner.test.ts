import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadLibc } from '../../host/linux/libc.ts';
import { temporaryDirectory } from '../lib/tiny-module.ts';
import { assemble } from '../wat.ts';
import { requirePart } from '../require.ts';
import { explain, loadWasmTools } from './as-component.ts';
import { type CaseResult, findCases, runSuite, type SuiteOptions } from './runner.ts';
import { FILESYSTEMS } from './scratch.ts';

const IMPORTS = `
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00")
  (data (i32.const 16) "hello")
  (data (i32.const 32) "sub/file")
  (data (i32.const 48) "sub/new")`;

/** Guests by what they do: text at 16 (5 bytes, iovec at 0), paths at 32 and 48. */
const BODIES = {
  nothing: '',
  hello: '(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))',
  complain:
    '(drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) (call $exit (i32.const 9))',
  exit: '(call $exit (i32.const 33))',
  trap: '(unreachable)',
  hang: '(loop $again (br $again))',
  echo: `(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
         (i32.store (i32.const 4) (i32.load (i32.const 8)))
         (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`,
  use: `(if (call $stat (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 8) (i32.const 1024))
           (then (call $exit (i32.const 1))))
         (if (call $mkdir (i32.const 3) (i32.const 48) (i32.const 7)) (then (call $exit (i32.const 2))))`,
} as const;

async function suite(
  context: TestContext,
  files: Readonly<Record<string, readonly [keyof typeof BODIES, unknown?]>>,
): Promise<string> {
  const directory = temporaryDirectory(context);
  for (const [name, [body, specification]] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.wasm`, await assemble(`(module ${IMPORTS} (func (export "_start") ${BODIES[body]}))`));
    if (specification !== undefined) {
      const text = typeof specification === 'string' ? specification : JSON.stringify(specification);
      writeFileSync(`${path}.json`, text);
    }
  }
  return directory;
}

async function run(directory: string, options: Partial<SuiteOptions> = {}): Promise<Map<string, CaseResult>> {
  const results = new Map<string, CaseResult>();
  for await (const result of runSuite({ directory, filesystem: 'memory', timeoutMs: 5000, ...options })) {
    results.set(result.file.replace('.wasm', ''), result);
  }
  return results;
}

/** Runs the command with a folder of its own for temporary files. */
function command(
  temporary: string,
  ...parameters: string[]
): { readonly status: number | null; readonly stdout: string } {
  const main = join(import.meta.dirname, 'main.js');
  const env = { ...process.env, TMPDIR: temporary };
  return spawnSync(process.execPath, [main, ...parameters], { encoding: 'utf8', timeout: 300_000, env });
}

test('runSuite() passes what does as its specification says, in both of its forms', async (context) => {
  const results = await run(
    await suite(context, {
      default: ['nothing'],
      'below/hello': ['hello', { stdout: 'hello', stderr: '' }],
      exit: ['exit', { exit_code: 33 }],
      echo: ['echo', { stdin: 'abcdefg', stdout: 'abcde' }],
      'stdin-at-end': ['echo', { stdout: '' }],
      operations: [
        'echo',
        {
          operations: [
            { type: 'run' },
            { type: 'write', id: 'stdin', payload: 'ab' },
            { type: 'read', id: 'stdout', payload: 'a' },
            { type: 'read', payload: 'b' },
            { type: 'wait' },
          ],
        },
      ],
      prefix: [
        'hello',
        { operations: [{ type: 'run' }, { type: 'read', payload: 'hell' }, { type: 'wait', exit_code: 0 }] },
      ],
    }),
  );
  assert.equal(results.size, 7);
  for (const [file, { failures }] of results) assert.deepEqual(failures, [], file);
});

test('runSuite() tells what it expected and what it got', async (context) => {
  const directory = await suite(context, {
    'wrong-stdout': ['hello', { stdout: 'goodbye' }],
    'wrong-stderr': ['complain', { exit_code: 9, stderr: '' }],
    'wrong-beginning': ['hello', { operations: [{ type: 'run' }, { type: 'read', payload: 'x' }, { type: 'wait' }] }],
    'wrong-exit': ['complain'],
    'no-exit': ['nothing', { exit_code: 1 }],
    trap: ['trap'],
    hang: ['hang'],
    'not-json': ['nothing', '{'],
    'unknown-field': ['nothing', { exitcode: 0 }],
    'wrong-field': ['nothing', { args: 'x' }],
    'unknown-operation': ['nothing', { operations: [{ type: 'connect' }] }],
    proposal: ['nothing', { proposals: ['http'], operations: [] }],
    'no-directory': ['nothing', { dirs: ['missing'] }],
  });
  writeFileSync(join(directory, 'not-wasm.wasm'), 'text');
  const results = await run(directory, { timeoutMs: 500 });
  const expected: Record<string, RegExp> = {
    'wrong-stdout': /^expected stdout "goodbye", got "hello"$/,
    'wrong-stderr': /^expected stderr "", got "hello"$/,
    'wrong-beginning': /^expected stdout to begin with "x", got "hello"$/,
    'wrong-exit': /^expected exit code 0, got exit code 9; stderr: "hello"$/,
    'no-exit': /^expected exit code 1, got exit code 0$/,
    trap: /^expected exit code 0, got a trap \(unreachable\)/,
    hang: /^expected exit code 0, got its deadline of 500 ms$/,
    'not-json': /JSON/,
    'unknown-field': /unknown field exitcode/,
    'wrong-field': /expected `args` to be a list of text, got "x"/,
    'unknown-operation': /expected `type` to be .*, got "connect"/,
    proposal: /needs http/,
    'no-directory': /"[^"]*missing" does not exist/,
    'not-wasm': /Cannot read the module/,
  };
  assert.deepEqual([...results.keys()].sort(), Object.keys(expected).sort());
  for (const [file, { failures }] of results) {
    assert.equal(failures.length, 1, file);
    assert.match(failures[0] as string, expected[file] as RegExp);
  }
});

for (const filesystem of FILESYSTEMS) {
  const skip = filesystem === 'machine' && loadLibc() === undefined;
  test(`runSuite() gives each test a copy of its directory (${filesystem})`, { skip }, async (context) => {
    const directory = await suite(context, {
      first: ['use', { dirs: ['tests.dir'], args: ['tests.dir'] }],
      second: ['use', { root: 'tests.dir' }],
    });
    mkdirSync(join(directory, 'tests.dir', 'sub', 'old.cleanup'), { recursive: true });
    writeFileSync(join(directory, 'tests.dir', 'sub', 'file'), 'text');
    const results = await run(directory, { filesystem });
    for (const [file, { failures }] of results) assert.deepEqual(failures, [], file);
    assert.deepEqual(readdirSync(join(directory, 'tests.dir', 'sub')).sort(), ['file', 'old.cleanup']);
  });
}

/** A test of the component column needs the optional package. */
const skipComponents = requirePart('jco-transpile', (await loadWasmTools()) !== undefined, 'it is not installed');

test('npm run conformance runs each case as a component too, and a difference must have a known reason', {
  skip: skipComponents,
}, async (context) => {
  const directory = await suite(context, {
    echo: ['echo', { stdin: 'abcdefg', stdout: 'abcde' }],
    exit: ['exit', { exit_code: 33 }],
    use: ['use', { root: 'tests.dir' }],
  });
  mkdirSync(join(directory, 'tests.dir', 'sub'), { recursive: true });
  writeFileSync(join(directory, 'tests.dir', 'sub', 'file'), 'text');
  const known = command(temporaryDirectory(context), directory, '--filesystem', 'memory');
  assert.deepEqual(known.stdout.trimEnd().split('\n'), [
    'core   component',
    'passed passed echo.wasm',
    'passed known  exit.wasm',
    '       as a component: wasi:cli/exit tells only whether an exit code was 0',
    'passed passed use.wasm',
    'as components: 2 passed, 1 failed for a known reason, 0 failed',
    '3 passed, 0 failed',
  ]);
  assert.equal(known.status, 0);
});

test('explain() knows no reason for what the adapter can do', async () => {
  const module = await assemble(`(module ${IMPORTS} (func (export "_start")))`);
  assert.equal(explain(module, ['expected stdout "a", got "b"']), undefined);
  assert.equal(explain(module, ['expected exit code 0, got exit code 1']), undefined);
  assert.equal(explain(module, ['expected exit code 3, got exit code 1', 'expected stdout "a", got "b"']), undefined);
  assert.match(explain(module, ['no component: wasi_unstable is not known']) ?? '', /wasi_snapshot_preview1/);
});

test('findCases() finds modules in folders, and those whose path holds the filter', async (context) => {
  const directory = await suite(context, { a: ['nothing'], 'b/c': ['nothing'], 'b/d': ['nothing', {}] });
  assert.deepEqual(findCases(directory), ['a.wasm', join('b', 'c.wasm'), join('b', 'd.wasm')]);
  assert.deepEqual(findCases(directory, 'd.w'), [join('b', 'd.wasm')]);
});

test('npm run conformance prints a line per file, closes with the counts and exits 0, 1 or 2', async (context) => {
  const directory = await suite(context, { good: ['hello', { stdout: 'hello', dirs: ['data'] }], bad: ['trap'] });
  mkdirSync(join(directory, 'data'));
  const temporary = temporaryDirectory(context);
  const json = join(directory, 'report.json');
  const failed = command(temporary, directory, '--json', json, '--filesystem', 'memory', '--core');
  assert.equal(failed.status, 1);
  const lines = failed.stdout.trimEnd().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['core   component', 'failed -      bad.wasm']);
  assert.match(lines[2] as string, /unreachable/);
  assert.deepEqual(lines.slice(3), ['passed -      good.wasm', '1 passed, 1 failed']);
  const report = JSON.parse(readFileSync(json, 'utf8')) as { passed: number; failed: number; cases: CaseResult[] };
  assert.deepEqual(
    [report.passed, report.failed, report.cases.map(({ file }) => file)],
    [1, 1, ['bad.wasm', 'good.wasm']],
  );
  assert.equal(command(temporary, directory, '--filter', 'good', '--filesystem', 'memory', '--core').status, 0);
  for (const parameters of [[], [directory, directory], [directory, '--filter', 'none'], [join(directory, 'none')]]) {
    assert.equal(command(temporary, ...parameters).status, 2, parameters.join(' '));
  }
  for (const option of ['--filesystem=none', '--timeout=0', '--unknown']) {
    assert.equal(command(temporary, directory, option).status, 2, option);
  }
  assert.deepEqual(readdirSync(temporary), []);
});
