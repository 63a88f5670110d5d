/** Everything that README.md shows is run, and its tables hold what the code says. */

import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { NO_CAPABILITIES } from '../../host/capabilities.ts';
import { DEFAULT_LIMITS } from '../../host/limits.ts';
import { requirePart } from '../require.ts';
import { blocksOf, rowsOf, stepsOf } from './markdown.ts';
import { findRust } from './rust.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = blocksOf(readme);
const command = join(root, 'dist', 'lib', 'cli', 'main.js');

const SHOWN_URL = 'http://127.0.0.1:7070';
const TIMEOUT_MS = 60_000;
/** componentize-js starts an engine and takes its picture. */
const COMPONENTIZE_MS = 300_000;

describe('README.md: a ts block', () => {
  // Inside the package, where its own name resolves to what it exports.
  const folder = mkdtempSync(join(root, 'dist', 'readme-'));
  const programs = blocks.filter(({ language }) => language === 'ts').map(({ code }) => code);

  before(() => {
    const options = { rootDir: '.', outDir: '.' };
    const config = { extends: '../../tsconfig.json', compilerOptions: options, include: ['*.ts'], exclude: [] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    programs.forEach((code, at) => writeFileSync(join(folder, `block${at}.ts`), code));
    const compiler = join(root, 'node_modules', '.bin', 'tsc');
    const { status, stdout } = spawnSync(compiler, ['-p', folder], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
  after(() => rmSync(folder, { recursive: true }));

  programs.forEach((code, at) => {
    test(`number ${at + 1} compiles and prints what it says`, () => {
      const expected = Array.from(code.matchAll(/\/\/ => (.*)$/gm), ([, line]) => `${line}\n`).join('');
      assert.notEqual(expected, '');
      const options = { cwd: root, encoding: 'utf8', timeout: TIMEOUT_MS } as const;
      const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, `block${at}.js`)], options);
      assert.deepEqual([stdout, stderr, status], [expected, '', 0]);
    });
  });
});

/** `npx` of a place where the package is installed; commands for a server are told where this one listens. */
const NPX = `#!/bin/sh
[ "$1" = nebula ] || exit 127
shift
case "$1" in deploy|list|remove|rollback) set -- "$@" --url "$SERVER_URL";; esac
exec "$NODE" "$COMMAND" "$@"
`;

describe('README.md: a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-readme-'));
  const rust = findRust();
  const skipRust = requirePart('rust', rust !== undefined, 'there is no rustc with a WASI target');
  const hasCurl = spawnSync('curl', ['--version']).status === 0;
  const skipCurl = requirePart('curl', hasCurl, 'it is not installed');
  const componentize = join(root, 'functions', 'components', 'node_modules', '@bytecodealliance', 'componentize-js');
  const skipComponentize = requirePart(
    'componentize-js',
    existsSync(componentize),
    'npm ci --prefix functions/components has not run',
  );
  let server: ChildProcess;
  let url = '';

  before(async () => {
    symlinkSync(join(root, 'functions'), join(folder, 'functions'));
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin', 'npx'), NPX, { mode: 0o755 });
    for (const { language, title, code } of blocks)
      if (['rust', 'js'].includes(language)) writeFileSync(join(folder, title), code);
    // What `npm start` runs once it has built.
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } };
    const [, given = ''] = scripts.start.split('node dist/lib/cli/main.js ');
    server = spawn(process.execPath, [command, ...given.split(' '), '--port', '0'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(server.stdout as NodeJS.ReadableStream), 'line')) as [string];
    url = /^curl --data 30 (http:\S+)\/invoke\/fibonacci$/.exec(line)?.[1] ?? '';
    assert.notEqual(url, '', line);
  });
  after(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
    rmSync(folder, { recursive: true });
  });

  const steps = blocks.filter(({ language }) => language === 'sh').flatMap(({ code }) => stepsOf(code));
  for (const { command: shown, expected } of steps) {
    test(`does what it says: ${shown}`, {
      skip:
        (shown.includes('greet') && skipRust) ||
        (shown.includes('welcome') && skipComponentize) ||
        (shown.includes('curl') && skipCurl),
    }, () => {
      const compiler = `${rust?.rustc} --target ${rust?.target}`;
      const line = shown.replaceAll(SHOWN_URL, url).replace('rustc --target wasm32-wasip1', compiler);
      const { stdout, stderr } = spawnSync('bash', ['-c', line], {
        cwd: folder,
        encoding: 'utf8',
        timeout: shown.includes('componentize') ? COMPONENTIZE_MS : TIMEOUT_MS,
        env: {
          ...process.env,
          PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
          NODE: process.execPath,
          COMMAND: command,
          SERVER_URL: url,
        },
      });
      if (expected !== undefined) assert.equal(stdout.replace(/\n?$/, stdout === '' ? '' : '\n'), expected, stderr);
      else assert.notEqual(stdout, '', stderr);
    });
  }
});

const BYTES = /^([\d,]+)(?: (KiB|MiB))?$/;
const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20 };

function toNumber(text: string): number {
  const [, digits = '', unit] = BYTES.exec(text) ?? [];
  return Number(digits.replaceAll(',', '')) * (unit === undefined ? 1 : (UNITS[unit] as number));
}

test('README.md lists every limit with its default', () => {
  const rows = rowsOf(readme).filter(([name = '']) => name in DEFAULT_LIMITS);
  assert.deepEqual(Object.fromEntries(rows.map(([name, value = '']) => [name, toNumber(value)])), DEFAULT_LIMITS);
});

test('README.md lists every capability with its default', () => {
  const rows = rowsOf(readme).filter(([name = '']) => name in NO_CAPABILITIES);
  const told = rows.map(([name = '', value = '']) => {
    const none = Array.isArray(NO_CAPABILITIES[name as keyof typeof NO_CAPABILITIES]) ? [] : {};
    return [name, value === 'none' ? none : JSON.parse(value)] as const;
  });
  assert.deepEqual(Object.fromEntries(told), NO_CAPABILITIES);
});
