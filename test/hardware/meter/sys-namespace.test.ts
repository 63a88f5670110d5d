/**
 * The sources of /sys where the programs really look: trees mounted over /sys/class in a private mount namespace, read by
 * `nebula meter` in a process of its own. Plain files are no sensors: no bus, no refusals of a driver, no timing of a chip.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { importNebulaCsv } from '../../../hardware/logger/formats.ts';
import { parseSidecar } from '../../../hardware/logger/nebula-csv.ts';
import type { ListedSource } from '../../../hardware/meter/listing.ts';
import { requirePart } from '../../require.ts';

const IS_GUEST = /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
const METER = join(import.meta.dirname, '../../../hardware/cli/main.js');

const NAMESPACE = `set -e
T=$(mktemp -d); trap 'rmdir $T' EXIT; mount -t tmpfs none $T; mkdir $T/up $T/wk
mount -t overlay overlay -o lowerdir=/sys/class,upperdir=$T/up,workdir=$T/wk /sys/class
put() { mkdir -p "$(dirname "$1")"; echo "$2" >"$1"; }
H=/sys/class/hwmon; P=/sys/class/powercap
put $H/hwmon0/name cpu_thermal
put $H/hwmon1/name ina226; put $H/hwmon1/power1_input 3250000; put $H/hwmon1/update_interval 4
put $H/hwmon2/name ina3221; put $H/hwmon2/in1_label VDD_IN; put $H/hwmon2/in1_input 5000; put $H/hwmon2/curr1_input 700
put $P/intel-rapl:0/name package-0; put $P/intel-rapl:0/energy_uj 900000; put $P/intel-rapl:0/max_energy_range_uj 1000000
put $P/intel-rapl:0:0/name core; put $P/intel-rapl:0:0/energy_uj 400000; put $P/intel-rapl:0:0/max_energy_range_uj 1000000
put $P/intel-rapl-mmio:0/name package-0; put $P/intel-rapl-mmio:0/energy_uj 1
status=0; COMMAND "$@" || status=$?
umount -l $T; exit $status`;

/** 50 mJ each 50 ms: 1 W, and a wrap after 100 mJ. Renamed into place, as a reader of /sys never sees half a number. */
const COUNTING = `count() {
  U=900000; while :; do sleep 0.05; U=$(( (U + 50000) % 1000000 )); echo $U >$P/next; mv $P/next $P/intel-rapl:0/energy_uj; done
}; count & C=$!; set +e; "$@"; status=$?; kill $C; wait $C 2>/dev/null; (exit $status)`;

function inNamespace(command: string, ...given: string[]) {
  const script = NAMESPACE.replace('COMMAND "$@"', `{ ${command}; }`);
  return spawnSync('unshare', ['-m', 'bash', '-c', script, 'bash', ...given], { encoding: 'utf8', timeout: 60_000 });
}

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount';
  const probe = inNamespace('"$@"', 'true');
  return probe.status === 0 ? undefined : `unshare or mount failed: ${probe.error?.message ?? probe.stderr}`;
}

const reason = whyNot();
const skip = requirePart('sys-namespace', reason === undefined, reason ?? '');

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-sys-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('meter list finds the INA sensors and RAPL zones of /sys/class (plain files: no sensor, no bus)', { skip }, () => {
  const run = inNamespace('"$@"', process.execPath, METER, 'list', '--json');
  assert.equal(run.status, 0, run.stderr);
  const { sources } = JSON.parse(run.stdout) as { sources: ListedSource[] };
  const present = sources.filter(({ state, kind }) => state === 'present' && kind !== 'synthetic');
  assert.deepEqual(
    present.map(({ source, properties }) => [source, properties?.rule, properties?.refreshS]),
    [
      ['hwmon:ina226%20channel%201', 'instant', 0.004],
      ['hwmon:VDD_IN', 'instant', undefined],
      // A virtual machine has a share that its host renews once a second.
      ['rapl', 'counter', IS_GUEST ? 1 : 0.001],
      ['rapl:core', 'counter', IS_GUEST ? 1 : 0.001],
    ],
  );
});

test('meter record reads an INA3221 as volts times amperes on our clock (plain files: no sensor, no timing)', {
  skip,
}, async (context) => {
  const file = join(folderOf(context), 'ina.csv');
  const run = inNamespace('"$@"', process.execPath, METER, 'record', 'hwmon:VDD_IN', '--out', file, '--seconds', '1');
  assert.equal(run.status, 0, run.stderr);
  const { trace, counts } = await importNebulaCsv(
    [readFileSync(file)],
    parseSidecar(readFileSync(`${file}.json`, 'utf8')),
  );
  assert.deepEqual(new Set(trace.value), new Set([3.5]));
  assert.ok(trace.timeS.length > 10);
  assert.deepEqual([trace.clock, trace.synthetic, counts.lost], ['host-monotonic', false, 0]);
});

test('meter record adds up a RAPL counter over its wraps, and no zone twice (plain files: no processor)', {
  skip,
}, async (context) => {
  const file = join(folderOf(context), 'rapl.csv');
  const run = inNamespace(
    COUNTING,
    process.execPath,
    METER,
    'record',
    'rapl?interval=0.02',
    '--out',
    file,
    '--seconds',
    '3',
  );
  assert.equal(run.status, 0, run.stderr);
  const { trace, counts } = await importNebulaCsv(
    [readFileSync(file)],
    parseSidecar(readFileSync(`${file}.json`, 'utf8')),
  );
  assert.deepEqual([trace.rule, counts.resets, trace.synthetic], ['counter', 0, false]);
  const energyJ = (trace.value.at(-1) as number) - (trace.value[0] as number);
  // The shell counts no faster than 1 W, and a loaded machine makes it slower; two wraps at least are in it.
  assert.ok(energyJ > 0.3 && energyJ < 3.2, `${energyJ} J`);
  for (let index = 1; index < trace.value.length; index++) {
    const stepJ = (trace.value[index] as number) - (trace.value[index - 1] as number);
    assert.ok(Math.abs(stepJ / 0.05 - Math.round(stepJ / 0.05)) < 1e-6 && stepJ >= 0 && stepJ < 0.5, `step ${stepJ}`);
  }
});

test('meter probe of a counter that stands still claims no step and no noise (plain files: no sensor)', {
  skip,
}, () => {
  const run = inNamespace(
    '"$@"',
    process.execPath,
    METER,
    'probe',
    'rapl:core?interval=0.02',
    '--seconds',
    '2',
    '--json',
  );
  assert.equal(run.status, 0, run.stderr);
  const { character } = JSON.parse(run.stdout) as { character: { refreshS: number; durationS: number; stepW: number } };
  assert.deepEqual([character.refreshS, character.stepW], [character.durationS, 0]);
});
