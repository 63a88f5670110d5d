import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Analysis } from '../../../bench/compare/analysis.ts';

const CLI = join(import.meta.dirname, '..', '..', '..', 'lib', 'cli', 'main.js');
const SMALL = ['--functions', 'fibonacci', '--inputs', 'small', '--targets', 'wasm-restored,wasm-in-thread,node-wasi'];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-compare-'));
});
after(() => rm(folder, { recursive: true }));

const nebula = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [CLI, 'bench', ...args], { encoding: 'utf8' });

async function analysisOf(path: string): Promise<Analysis> {
  return JSON.parse(await readFile(join(path, 'analysis.json'), 'utf8')) as Analysis;
}

test('nebula bench compare measures real guests, analyses and reports', async () => {
  const path = join(folder, 'run');
  const { status, stdout, stderr } = nebula('compare', ...SMALL, '--blocks', '3', '--repeats', '2', '--out', path);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /seed 1, 3 blocks/);
  assert.match(stdout, /wasm-in-thread: \S+ \[\S+, \S+\] times wasm-restored/);
  // Plain lines where there is no terminal.
  const expected = /block 3 of 3: \d+ of (\d+) calls done/.exec(stderr)?.[1] ?? 'none';
  assert.match(stderr, new RegExp(`^${expected} of ${expected} calls measured`, 'm'));
  const rows = await readFile(join(path, 'rows.ndjson'), 'utf8');
  const calls = new Set(Array.from(rows.matchAll(/"call":(\d+)/g), ([, call]) => call));
  assert.equal(calls.size, Number(expected));
  const { cells } = await analysisOf(path);
  for (const { target, phases } of cells) {
    const { start, run, answer, total } = phases;
    assert.ok(start !== undefined && run !== undefined && answer !== undefined && total !== undefined, target);
    assert.ok(start.min > 0 && run.min > 0 && answer.min > 0, target);
  }
});

test('nebula bench analyse redoes everything after the rows, and refuses what is no run', async () => {
  const path = join(folder, 'run');
  const first = await readFile(join(path, 'analysis.json'), 'utf8');
  await rm(join(path, 'analysis.json'));
  await rm(join(path, 'report.html'));
  assert.equal(nebula('analyse', path).status, 0);
  assert.equal(await readFile(join(path, 'analysis.json'), 'utf8'), first);
  assert.ok((await readdir(path)).includes('report.html'));
  const refused = nebula('analyse', folder);
  assert.equal(refused.status, 3, refused.stderr);
  assert.match(refused.stderr, /expected plan\.json/);
});

test('nebula bench compare keeps and analyses what was measured when it is interrupted', async () => {
  const path = join(folder, 'interrupted');
  const given = [CLI, 'bench', 'compare', ...SMALL, '--blocks', '5000', '--out', path];
  const child = spawn(process.execPath, given, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  let stderr = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended by itself: ${stdout} ${stderr}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (stderr.includes('block 3 of')) resolve();
    });
  });
  // To the whole group, as a terminal does it.
  process.kill(-(child.pid as number), 'SIGINT');
  const status = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(status, 1, stdout);
  assert.match(stdout, /interrupted: what was measured is kept/);
  const { stopped, cells, findings } = await analysisOf(path);
  assert.equal(stopped, 'interrupted by the user');
  assert.ok(cells.length > 0);
  assert.ok(findings.some((finding) => finding.code === 'interrupted'));
});

test('nebula bench refuses a plan that does not fit', () => {
  const { status, stderr } = nebula('compare', '--targets', 'docker', '--out', join(folder, 'none'));
  assert.equal(status, 2, stderr);
  assert.match(stderr, /^bench: Cannot set `targets` to "docker"/);
});
