/**
 * The whole path of an energy run: the real command in a mount namespace, unmodified onoff on plain files over
 * /sys/class/gpio, the edges recorded by strace, a logger made from those by a process with a clock of its own, the import,
 * the report in a browser. Plain files are no pins: no level, no kernel refusal, no timing of a pin. No power is measured.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import type { ConcludedAnalysis } from '../../../bench/energy/conclusion.ts';
import type { EnergyMeasured } from '../../../bench/energy/summary.ts';
import type { EnergyRow } from '../../../bench/energy/rows.ts';
import { mean } from '../../../statistics/moments.ts';
import { inNamespace, skipWithoutNamespace, straceInto } from '../../hardware/marker/namespace.ts';
import { skipWithoutDocker } from '../../pools/container/docker.ts';
import { requirePart } from '../../require.ts';
import { DRIFT_PPM, IDLE_W, type KnownPulse } from './known-pulse.ts';
import { pulsesById } from './known-windows.ts';

const CLI = join(import.meta.dirname, '..', '..', '..', 'lib', 'cli', 'main.js');
const LOGGER = join(import.meta.dirname, 'logger-process.js');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

const withoutDocker = await skipWithoutDocker();

const PLAN = {
  functions: ['noop', 'fibonacci-recursive'],
  inputs: ['small', 'large'],
  targets: ['wasm-restored', ...(withoutDocker === false ? ['container-cold'] : [])],
  blocks: 5,
  repeats: 1,
  warmUps: 2,
  guardS: 1.4,
  settleS: 0.1,
  pauseS: 0.05,
  batchS: 0.3,
  callMarkS: 0.05,
};

const nebula = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [CLI, 'bench', ...args], { encoding: 'utf8' });

interface Known {
  readonly place: string;
  readonly known: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** How many intervals hold what is known: 95 % of them, less four standard deviations of what may lie outside. */
function holds(intervals: readonly Known[]): number {
  const outside = intervals.filter(
    ({ known, low, high }) => low === null || high === null || known < low || known > high,
  );
  const allowed = 0.05 * intervals.length + 4 * Math.sqrt(intervals.length * 0.05 * 0.95);
  const count = `${outside.length} of ${intervals.length} outside`;
  assert.ok(outside.length <= allowed, `${count}: ${JSON.stringify(outside)}`);
  return intervals.length - outside.length;
}

describe('nebula bench energy on plain files, its edges seen by strace, then nebula bench import', {
  skip: skipWithoutNamespace,
}, () => {
  let folder: string;
  let run: string;
  let analysis: ConcludedAnalysis;
  let energy: EnergyMeasured;
  let rows: EnergyRow[];
  /** Known energy of each marked window by its id. */
  let truth: Map<string, KnownPulse>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nebula-energy-'));
    run = join(folder, 'run');
    await writeFile(join(folder, 'plan.json'), JSON.stringify(PLAN));
    const given = ['--plan', join(folder, 'plan.json'), '--marker', 'gpio:17', '--force', '--out', run];
    const traced = inNamespace(
      [...straceInto(join(folder, 'trace')), process.execPath, CLI, 'bench', 'energy', ...given],
      240_000,
    );
    assert.equal(traced.status, 0, `${String(traced.stdout)}\n${String(traced.stderr)}`);
    assert.match(String(traced.stdout), /no source was recorded here: nebula bench import LOG --edges/);
    const made = spawnSync(process.execPath, [
      LOGGER,
      ...['trace', 'log.csv', 'truth.json'].map((name) => join(folder, name)),
    ]);
    assert.equal(made.status, 0, String(made.stderr));
    const imported = nebula('import', join(folder, 'log.csv'), '--edges', join(run, 'edges.ndjson'));
    assert.equal(imported.status, 0, imported.stdout + imported.stderr);
    assert.match(imported.stdout, /^SYNTHETIC: /m);
    analysis = JSON.parse(await readFile(join(run, 'analysis.json'), 'utf8')) as ConcludedAnalysis;
    assert.ok(analysis.energy?.state === 'measured', JSON.stringify(analysis.energy));
    energy = analysis.energy;
    rows = (await readFile(join(run, 'energy.ndjson'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row) as EnergyRow);
    const pulses = JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8')) as KnownPulse[];
    truth = pulsesById(await readFile(join(run, 'windows.ndjson'), 'utf8'), pulses);
  });
  after(() => rm(folder, { recursive: true }));

  /** Windows that have a pulse of their own. */
  const windowsOf = (target: RegExp): EnergyRow[] =>
    rows.filter((row) => target.test(row.target) && row.kind !== 'phase' && truth.has(row.id));

  const knownOf = (target: string, name: string, input: string): number => {
    const windows = windowsOf(/./).filter(
      (row) => row.target === target && row.function === name && row.input === input,
    );
    // Blocks have equal weight, as in what is reported.
    const blocks = new Map<number, number[]>();
    for (const { id, calls, block } of windows) {
      blocks.set(block, [...(blocks.get(block) ?? []), (truth.get(id) as KnownPulse).netJ / calls]);
    }
    return mean([...blocks.values()].map(mean));
  };

  function holdsTruth(target: RegExp): number {
    const windows = windowsOf(target).map(({ id, netLowJ: low, netHighJ: high }) => ({
      place: id,
      known: (truth.get(id) as KnownPulse).netJ,
      low,
      high,
    }));
    assert.ok(windows.length >= 10, `${windows.length} windows`);
    return holds(windows);
  }

  test('the known energy of the windows of WebAssembly lies inside the reported intervals', (t) => {
    t.diagnostic(`${holdsTruth(/^wasm/)} of ${windowsOf(/^wasm/).length} windows`);
  });

  test('the known energy of the windows of containers lies inside the reported intervals', {
    skip: withoutDocker,
  }, (t) => {
    t.diagnostic(`${holdsTruth(/^container/)} of ${windowsOf(/^container/).length} windows`);
    const calls = rows.filter((row) => row.target === 'container-cold' && row.kind === 'call');
    assert.ok(calls.length > 0 && calls.every((row) => row.calls === 1));
    const phases = new Set(
      rows.filter((row) => row.target === 'container-cold' && row.kind === 'phase').map(({ phase }) => phase),
    );
    assert.deepEqual(phases, new Set(['start', 'run', 'answer', 'teardown']));
  });

  test('the known energy of a call lies inside the interval of its cell, and known ratios inside theirs', {
    skip: withoutDocker,
  }, () => {
    const cells = energy.cells.map(({ target, function: name, input, netJ }) => {
      const known = knownOf(target, name, input);
      return { place: `${target} ${name} ${input}`, known, low: netJ?.low ?? null, high: netJ?.high ?? null };
    });
    holds(cells);
    assert.equal(energy.ratios.length, 3);
    const ratios = energy.ratios.map(({ target, function: name, input, energy: found, time, power }) => {
      const place = `${target} ${name} ${input}`;
      assert.ok(Math.abs(found.value / (time.value * power.value) - 1) < 1e-9, place);
      const known = knownOf(target, name, input) / knownOf('wasm-restored', name, input);
      assert.ok(Math.abs(found.value / known - 1) < 0.03, `${place}: ${found.value}, known ${known}`);
      return { place, known, ...found };
    });
    // Blocks that differ too much, as on a busy machine, give no bounds: then there is nothing to hold.
    holds(ratios.filter(({ low }) => low !== null));
  });

  test("the logger's own clock was found from the edges, and its idle power from the guards", () => {
    const { clock, idle } = energy;
    assert.ok(clock !== null && idle !== null);
    assert.ok(Math.abs(clock.driftPpm - DRIFT_PPM) < 3 * clock.driftIntervalPpm + 10, JSON.stringify(clock));
    assert.equal(idle.levels.length, PLAN.blocks + 1);
    for (const { meanW, errorW } of idle.levels) assert.ok(Math.abs(meanW - IDLE_W) < 5 * errorW, `${meanW} W`);
    assert.equal(analysis.energy?.marker.label, 'GPIO17 (line 529)');
    assert.ok((analysis.energy?.marker.cost?.p50Ns ?? 0) > 0);
  });

  test('what was made up is stamped in rows, analysis and report', async () => {
    assert.equal(energy.synthetic, true);
    assert.ok(rows.length > 0 && rows.every((row) => row.synthetic));
    assert.equal(analysis.energy?.findings[0]?.code, 'synthetic');
    assert.match(await readFile(join(run, 'report.md'), 'utf8'), /^\*\*SYNTHETIC\*\*: No power was measured/m);
    assert.match(await readFile(join(run, 'energy.csv'), 'utf8'), /synthetic\r\n/);
    for (const name of ['power-trace', 'energy', 'energy-ratios', 'power-windows'].filter(
      (id) => id !== 'energy-ratios' || withoutDocker === false,
    )) {
      assert.match(await readFile(join(run, 'figures', `${name}.svg`), 'utf8'), />SYNTHETIC</);
    }
  });

  test('nebula bench energy --replay gives the same analysis again, and a log that was changed is refused', async () => {
    const first = await readFile(join(run, 'analysis.json'), 'utf8');
    const replayed = nebula('energy', '--replay', run);
    assert.equal(replayed.status, 0, replayed.stderr);
    assert.equal(await readFile(join(run, 'analysis.json'), 'utf8'), first);
    const log = join(run, 'log', 'log.csv');
    const kept = await readFile(log);
    try {
      await writeFile(log, kept.subarray(0, kept.length / 2));
      const refused = nebula('energy', '--replay', run);
      assert.equal(refused.status, 3);
      assert.match(refused.stderr, /expected the log with SHA-256/);
    } finally {
      await writeFile(log, kept);
    }
  });

  test('report.html shows its stamp in red in a browser before anything else', {
    skip: requirePart('chromium', CHROMIUM !== undefined, 'it is not installed'),
  }, async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage({ offline: true });
      await page.goto(pathToFileURL(join(run, 'report.html')).href);
      const stamp = page.locator('.stamp').first();
      assert.ok(await stamp.isVisible());
      assert.match(await stamp.innerText(), /^SYNTHETIC No power was measured/);
      assert.equal(
        await page.evaluate("getComputedStyle(document.querySelector('.stamp')).backgroundColor"),
        'rgb(196, 0, 29)',
      );
      const box = await stamp.boundingBox();
      assert.ok(box !== null && box.y < 60 && box.height > 20, JSON.stringify(box));
      assert.ok(await page.locator('#energy h2 .mark').first().isVisible());
      assert.ok(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'));
    } finally {
      await browser.close();
    }
  });
});
