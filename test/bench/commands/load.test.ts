import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { LoadResult } from '../../../bench/load/result.ts';

const CLI = join(import.meta.dirname, '..', '..', '..', 'lib', 'cli', 'main.js');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-load-'));
});
after(() => rm(folder, { recursive: true }));

test('nebula bench load keeps and tells the steps that were measured when it is interrupted', async () => {
  const given = [CLI, 'bench', 'load', '--targets', 'wasm-restored', '--seconds', '1', '--out', folder];
  given.push('--source', 'synthetic?idle=3&noise=0.01', '--guard-s', '1');
  const child = spawn(process.execPath, given, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended by itself: ${stdout}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes('wasm-restored at 125.0/s')) resolve();
    });
  });
  // To the whole group, as a terminal does it.
  process.kill(-(child.pid as number), 'SIGINT');
  const status = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(status, 1, stdout);
  assert.match(stdout, /interrupted: the step under way is finished/);
  for (const name of ['environment.json', 'load.json', 'load.md'])
    assert.ok((await readdir(folder)).includes(name), name);
  const { sweeps, densities, stopped, energy } = JSON.parse(
    await readFile(join(folder, 'load.json'), 'utf8'),
  ) as LoadResult;
  assert.equal(stopped, 'interrupted by the user');
  assert.match(
    stdout,
    /^A rate is sustained when 99\.9 % .* It counts as not sustained when it fails 3 times in a row/,
  );
  const report = await readFile(join(folder, 'load.md'), 'utf8');
  for (const text of ['It counts as not sustained when it fails 3 times in a row', '| wasm-restored | Nebula with'])
    assert.ok(report.includes(text), text);
  assert.deepEqual(densities, []);
  const [first] = sweeps[0]?.steps ?? [];
  assert.equal(first?.ratePerSecond, 125);
  assert.equal(first?.arrivals, 125);
  assert.ok((first?.p50Us ?? 0) > 0);
  // Nothing is drawn above idle: that is told, and that it is made up.
  assert.ok(energy?.synthetic === true && Math.abs(energy.idleW - 3) < 0.05, JSON.stringify(energy));
  const aboveIdleW = energy.steps[0]?.aboveIdleW;
  assert.ok((aboveIdleW?.low as number) < 0.02 && (aboveIdleW?.high as number) > -0.02, JSON.stringify(aboveIdleW));
  assert.match(report, /SYNTHETIC: no power was measured\. Energy of a call by /);
});
