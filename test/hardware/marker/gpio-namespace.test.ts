/**
 * The real onoff, its native addon included, against files mounted over /sys/class/gpio. Plain files are no pins: the
 * names of the tests say what that leaves open.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { align } from '../../../hardware/analysis/align.ts';
import type { HostEdge } from '../../../hardware/analysis/edges.ts';
import type { LineCost } from '../../../hardware/marker/line.ts';
import { inNamespace, skipWithoutNamespace as skip, straceInto } from './namespace.ts';
import { tracedEdges } from './traced-edges.ts';
import type { MarkerStats } from '../../../lib/schema/stats.ts';

const SCRIPT = join(import.meta.dirname, 'gpio-session.js');

type PrintedEdge = Omit<HostEdge, 'beforeNs' | 'afterNs'> & { readonly beforeNs: string; readonly afterNs: string };

interface Printed {
  readonly cost: LineCost;
  readonly label: string;
  readonly markers: MarkerStats;
  readonly log: { readonly synthetic: boolean; readonly edges: readonly PrintedEdge[] };
}

test('openGpioLine(), SessionMarker and createNebula({ markers }) move the value file of the right line once per edge, as strace sees it by another clock (plain files: no pin, no level, no kernel refusal, no timing of a pin)', {
  skip,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-gpio-'));
  try {
    const traceFile = join(folder, 'trace');
    const run = inNamespace([...straceInto(traceFile), process.execPath, SCRIPT]);
    assert.equal(run.status, 0, String(run.stderr));
    const printed = JSON.parse(String(run.stdout)) as Printed;
    assert.equal(printed.label, 'GPIO17 (line 529)');
    assert.equal(printed.log.synthetic, false);
    assert.equal(printed.cost.writes, 40);
    assert.ok(printed.cost.windowNs > printed.cost.p50Ns && printed.cost.p50Ns > printed.cost.clockNs);
    const edges = printed.log.edges.map((edge) => ({
      ...edge,
      beforeNs: BigInt(edge.beforeNs),
      afterNs: BigInt(edge.afterNs),
    }));
    const seen = tracedEdges(readFileSync(traceFile, 'utf8'));
    // The first write sets the line low, 40 measure its cost, one lowers it before each burst and one at the end.
    assert.equal(seen.length, 1 + 40 + 1 + edges.length + 1 + 1);
    const changes = seen.filter((edge, index) => edge.level !== (seen[index - 1]?.level ?? 0));
    const session = changes.filter((edge) => edge.timeS > (seen[40]?.timeS ?? 0) + 1e-3);
    assert.equal(session.length, edges.length);
    // A write that was interrupted may be seen anywhere between its two readings of the clock.
    const widestS = Math.max(...edges.map(({ beforeNs, afterNs }) => Number(afterNs - beforeNs))) / 1e9;
    const found = align({ edges, synthetic: false }, session, { sampleS: 1e-6, maxResidualS: 2e-3 + widestS });
    assert.equal(found.windows.length, 12 + 3);
    for (const [index, window] of found.windows.entries()) {
      const widths = edges
        .filter(({ id }) => id === window.id)
        .map(({ beforeNs, afterNs }) => Number(afterNs - beforeNs) / 1e9);
      const allowedS = 2e-3 + widths.reduce((sum, width) => sum + width, 0);
      assert.ok(Math.abs(window.endS - window.startS - window.hostDurationS) < allowedS, window.id);
      if (index < 12) assert.ok(window.hostDurationS > (2 + index) / 1e3);
    }
    assert.ok(found.windows.filter((window) => window.state === 'matched').length >= 10);
    const calls = found.windows.slice(12).map(({ id }) => id);
    assert.deepEqual(calls, ['fibonacci#1', 'fibonacci#2', 'fibonacci#3']);
    assert.deepEqual([printed.markers.windows, printed.markers.calls, printed.markers.failures], [3, 3, 0]);
    assert.ok(Math.abs(found.fit.driftPpm) < 500);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('openGpioLine() refuses a pin that was not exported (plain files: nothing appears on export)', { skip }, () => {
  const code = `import('${join(import.meta.dirname, '../../../hardware/marker/gpio-line.js')}')
    .then((module) => module.openGpioLine(18)).catch((error) => process.stdout.write(error.key + ' ' + error.message))`;
  const run = inNamespace([process.execPath, '-e', code]);
  assert.match(String(run.stdout), /^PIN_REFUSED Cannot export GPIO18 as line 530: ENOENT/, String(run.stderr));
});
