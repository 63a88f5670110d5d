/**
 * What the ARM64 machine handed out, held against what QEMU saw of its pins outside: run by .ci/arm64/run with node --test, the
 * folder of the run in NEBULA_ARM64_FOLDER. An emulated pin has no level, no rise time and no latency of a Pi's RP1, and no
 * instrument was read: the power of the second path is made up.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { align } from '../../hardware/analysis/align.ts';
import type { HostEdge } from '../../hardware/analysis/edges.ts';
import type { ConcludedAnalysis } from '../../bench/energy/conclusion.ts';
import type { EnergyRow } from '../../bench/energy/rows.ts';
import type { MarkerStats } from '../../lib/schema/stats.ts';
import { DRIFT_PPM, type KnownPulse } from '../bench/energy/known-pulse.ts';
import { pulsesById } from '../bench/energy/known-windows.ts';
import { pl061Edges } from './pl061-trace.ts';

const FOLDER = process.env['NEBULA_ARM64_FOLDER'] ?? '/var/tmp/nebula-arm64';
const RESULTS = join(FOLDER, 'results');
const PROJECT = join(import.meta.dirname, '..', '..', '..');
const CI = join(PROJECT, '.ci', 'arm64');
const CLI = join(PROJECT, 'dist', 'lib', 'cli', 'main.js');
const LOGGER = join(PROJECT, 'dist', 'test', 'bench', 'energy', 'logger-process.js');
/** A write of the guest and its time outside are a microsecond's rounding apart, and what the emulator takes between them. */
const SAMPLE_S = 1e-6;
const MOST_RESIDUAL_S = 2e-3;
/** Pulses before the opening burst that measure what a write costs: of the sessions, of `bench energy`. */
const SESSION_PULSES = 20;
const ENERGY_PULSES = 1000;

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const rowsOf = <Row>(text: string): Row[] => {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
};

const trace = read(FOLDER, 'pins.log');
const { markers } = JSON.parse(read(CI, 'pins.json')) as {
  markers: Record<string, { readonly session: string; readonly energy?: string }>;
};
const outputOf = (marker: string): number => Number(/^gpio(?:chip)?:(\d+)/.exec(marker)?.[1]);

type PrintedEdge = Omit<HostEdge, 'beforeNs' | 'afterNs'> & { readonly beforeNs: string; readonly afterNs: string };

interface Session {
  readonly label: string;
  readonly markers: MarkerStats;
  readonly cost: { readonly p50Ns: number };
  readonly log: { readonly synthetic: boolean; readonly edges: readonly PrintedEdge[] };
}

/** What the run came to, for docs/results/arm64. */
const figures: Record<string, unknown> = {
  kernel: read(RESULTS, 'uname').trim().split(' ')[2],
  pageSizeBytes: Number(read(RESULTS, 'page-size')),
  bootS: Number(read(RESULTS, 'boot-s')),
};
after(() => writeFileSync(join(FOLDER, 'figures.json'), `${JSON.stringify(figures, null, 2)}\n`));

for (const [name, { session }] of Object.entries(markers)) {
  test(`SessionMarker and createNebula({ markers }) with ${name}: QEMU sees each edge, and each window is matched by its clock`, () => {
    const printed = JSON.parse(read(RESULTS, `session-${name}.json`)) as Session;
    assert.equal(printed.log.synthetic, false);
    assert.deepEqual([printed.markers.calls, printed.markers.failures], [3, 0]);
    const edges = printed.log.edges.map((edge) => ({
      ...edge,
      beforeNs: BigInt(edge.beforeNs),
      afterNs: BigInt(edge.afterNs),
    }));
    const seen = pl061Edges(trace, outputOf(session));
    assert.equal(
      seen.length,
      2 * SESSION_PULSES + edges.length,
      'edges seen, with those that measure what a write costs',
    );
    assert.ok(seen.every(({ level }, index) => level === (index % 2 === 0 ? 1 : 0)));
    const found = align({ edges, synthetic: false }, seen, { sampleS: SAMPLE_S, maxResidualS: MOST_RESIDUAL_S });
    const matched = found.windows.filter(({ state }) => state === 'matched').length;
    figures[`session-${name}`] = {
      label: printed.label,
      writeP50Ns: printed.cost.p50Ns,
      edgesWritten: 2 * SESSION_PULSES + edges.length,
      edgesSeen: seen.length,
      windows: found.windows.length,
      matched,
      driftPpm: found.fit.driftPpm,
      residualSdUs: found.fit.residualSdS * 1e6,
      residualMaxUs: found.fit.residualMaxS * 1e6,
    };
    assert.equal(found.windows.length, 12 + 3);
    assert.equal(matched, found.windows.length);
    assert.deepEqual([found.lostEdges, found.unwrittenEdges], [0, 0]);
    for (const { id, startS, endS, hostDurationS } of found.windows) {
      // A write that was interrupted on its way happened somewhere within its two readings of the clock.
      const widthS = edges
        .filter((edge) => edge.id === id)
        .reduce((sum, { beforeNs, afterNs }) => sum + Number(afterNs - beforeNs) / 1e9, 0);
      assert.ok(Math.abs(endS - startS - hostDurationS) < 2 * MOST_RESIDUAL_S + widthS, id);
    }
    assert.ok(Math.abs(found.fit.driftPpm) < 500, `${found.fit.driftPpm} ppm`);
  });
}

for (const [name, { energy }] of Object.entries(markers)) {
  if (energy === undefined) continue;
  test(`nebula bench energy with ${name}, its edges seen by QEMU, then nebula bench import: each window is matched, and holds its energy`, () => {
    const run = join(RESULTS, `run-${name}`);
    const log = join(FOLDER, `log-${name}.csv`);
    const truthPath = join(FOLDER, `truth-${name}.json`);
    const output = String(outputOf(energy));
    const made = spawnSync(process.execPath, [LOGGER, join(FOLDER, 'pins.log'), log, truthPath, output]);
    assert.equal(made.status, 0, String(made.stderr));
    const given = ['bench', 'import', log, '--edges', join(run, 'edges.ndjson')];
    const imported = spawnSync(process.execPath, [CLI, ...given], { encoding: 'utf8' });
    assert.equal(imported.status, 0, imported.stdout + imported.stderr);
    const analysis = JSON.parse(read(run, 'analysis.json')) as ConcludedAnalysis;
    const measured = analysis.energy;
    assert.ok(measured?.state === 'measured', JSON.stringify(measured));
    const rows = rowsOf<EnergyRow>(read(run, 'energy.ndjson')).filter(({ kind }) => kind !== 'phase');
    const matched = rows.filter(({ state }) => state === 'matched').length;
    const { clock } = measured;
    const seen = pl061Edges(trace, outputOf(energy)).length;
    const [, ...edges] = rowsOf<{ written?: boolean }>(read(run, 'edges.ndjson'));
    const written = 2 * ENERGY_PULSES + edges.filter((edge) => edge.written).length;
    const told = {
      edgesWritten: written,
      edgesSeen: seen,
      lostEdges: clock?.lostEdges,
      windows: rows.length,
      matched,
      driftPpm: clock?.driftPpm,
      driftIntervalPpm: clock?.driftIntervalPpm,
    };
    figures[`energy-${name}`] = told;
    assert.equal(seen, written);
    assert.ok(rows.length >= 10, `${rows.length} windows`);
    assert.equal(matched, rows.length);
    assert.ok(clock !== null);
    assert.deepEqual([clock.lostEdges, measured.incomplete], [0, []]);
    assert.ok(Math.abs(clock.driftPpm - DRIFT_PPM) < 3 * clock.driftIntervalPpm + 10, JSON.stringify(clock));
    const known = pulsesById(read(run, 'windows.ndjson'), JSON.parse(read(truthPath)) as KnownPulse[]);
    const marked = rows.filter(({ id }) => known.has(id));
    assert.ok(marked.length >= 10, `${marked.length} windows with a pulse of their own`);
    const outside = marked.filter(({ id, netLowJ, netHighJ }) => {
      const { netJ } = known.get(id) as KnownPulse;
      return netLowJ === null || netHighJ === null || netJ < netLowJ || netJ > netHighJ;
    });
    figures[`energy-${name}`] = { ...told, energiesKnown: marked.length, energiesHeld: marked.length - outside.length };
    const allowed = 0.05 * marked.length + 4 * Math.sqrt(marked.length * 0.05 * 0.95);
    assert.ok(outside.length <= allowed, `${outside.length} of ${marked.length}: ${JSON.stringify(outside)}`);
  });
}

interface GuestTest {
  readonly file: string;
  readonly name: string;
  readonly state: 'passed' | 'skipped' | 'failed';
  readonly ms: number;
  readonly reason?: string;
}

test('the tests of the machine passed, and none was skipped but for a reason that .ci/arm64/skips.txt names', () => {
  const tests = readdirSync(RESULTS)
    .filter((name) => /^tests-\d+\.ndjson$/.test(name))
    .flatMap((name) => rowsOf<GuestTest>(read(RESULTS, name)));
  writeFileSync(join(FOLDER, 'tests.ndjson'), tests.map((each) => `${JSON.stringify(each)}\n`).join(''));
  const count = (state: GuestTest['state']): number => tests.filter((each) => each.state === state).length;
  figures['tests'] = { passed: count('passed'), skipped: count('skipped'), failed: count('failed') };
  const expected = new Set(
    read(CI, 'skips.txt')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
  );
  const odd = tests.filter(
    ({ state, reason = '' }) => state === 'failed' || (state === 'skipped' && !expected.has(reason)),
  );
  assert.deepEqual(odd, []);
  assert.ok(count('passed') > 100, `${count('passed')} passed`);
  assert.deepEqual(JSON.parse(read(RESULTS, 'failed.json')), []);
  assert.ok(existsSync(join(FOLDER, 'console.log')));
});

test('the pages of the machine have 16 KiB', () => {
  assert.equal(figures['pageSizeBytes'], 16_384);
});
