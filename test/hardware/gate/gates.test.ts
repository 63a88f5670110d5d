import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateGates, failuresOf, FORCE_HINT, type Gate, type GateName } from '../../../hardware/gate/gates.ts';
import type { MachineReading } from '../../../hardware/gate/machine.ts';

const GOOD: MachineReading = {
  wallS: 1000,
  monotonicS: 50,
  governors: ['performance', 'performance'],
  frequencyKhz: [1_800_000, 1_800_000],
  throttledBits: 0,
  temperatureC: 55,
  ticks: { busy: 100, steal: 3, all: 10_000 },
  busyShare: 0.01,
  correction: { frequencyPpm: -12.5, offsetS: 0, isSteered: false },
};

function later(changes: Partial<MachineReading> = {}): MachineReading {
  return { ...GOOD, wallS: 1300, monotonicS: 350, ticks: { busy: 30_000, steal: 3, all: 70_000 }, ...changes };
}

test('evaluateGates() passes a machine that stayed as it was', () => {
  const stamp = evaluateGates(GOOD, later(), { lostShare: 0 });
  assert.deepEqual([stamp.valid, stamp.forced, stamp.failed, stamp.unchecked], [true, false, [], []]);
  assert.deepEqual(
    stamp.gates.map(({ name, met }) => [name, met]),
    ['governor', 'frequency', 'throttling', 'temperature', 'load', 'time', 'steal', 'lost-samples'].map((name) => [
      name,
      true,
    ]),
  );
  const [governor] = stamp.gates;
  assert.deepEqual([governor?.before, governor?.after], ['performance', 'performance']);
  assert.match(governor?.expected ?? '', /performance, userspace on all CPUs/);
});

const FAILING: readonly (readonly [GateName, Partial<MachineReading>, Partial<MachineReading>])[] = [
  ['governor', {}, { governors: ['performance', 'ondemand'] }],
  ['governor', { governors: ['schedutil', 'schedutil'] }, {}],
  ['frequency', {}, { frequencyKhz: [1_800_000, 1_760_000] }],
  ['frequency', {}, { frequencyKhz: [1_800_000] }],
  ['throttling', {}, { throttledBits: 0x5_0005 }],
  ['throttling', { throttledBits: 0x5_0000 }, { throttledBits: 0x5_0000 }],
  ['throttling', { throttleCount: 4 }, { throttleCount: 5 }],
  ['throttling', {}, { underVoltage: true }],
  ['temperature', {}, { temperatureC: 66 }],
  ['temperature', { temperatureC: 76 }, { temperatureC: 76 }],
  ['load', { busyShare: 0.06 }, {}],
  ['load', {}, { busyShare: 0.3 }],
  ['time', {}, { wallS: 1300.5 }],
  ['time', {}, { correction: { frequencyPpm: -10, offsetS: 0.01, isSteered: true } }],
  ['steal', {}, { ticks: { busy: 30_000, steal: 604, all: 70_000 } }],
];

test('evaluateGates() stamps a result invalid for each gate that fails, before or after, and forced only when told', () => {
  for (const [name, before, after] of FAILING) {
    const stamp = evaluateGates({ ...GOOD, ...before }, later(after), { lostShare: 0 });
    assert.deepEqual([stamp.valid, stamp.failed], [false, [name]], JSON.stringify([before, after]));
    assert.equal(stamp.forced, false);
    const forced = evaluateGates({ ...GOOD, ...before }, later(after), { lostShare: 0 }, { force: true });
    assert.deepEqual([forced.valid, forced.forced], [false, true]);
  }
  assert.deepEqual(evaluateGates(GOOD, later(), { lostShare: 0.002 }).failed, ['lost-samples']);
  assert.equal(evaluateGates(GOOD, later(), { lostShare: 0 }, { force: true }).forced, false);
});

test('evaluateGates() does not take a gate for met that the machine says nothing of', () => {
  const bare = { wallS: 1000, monotonicS: 50 };
  const stamp = evaluateGates(bare, { wallS: 1300, monotonicS: 350 });
  assert.equal(
    stamp.gates.every(({ met }) => met === null),
    true,
  );
  assert.equal(stamp.unchecked.length, 8);
  assert.equal(stamp.valid, true);
  assert.equal(stamp.gates[0]?.before, 'not readable');
  // A step of the wall clock needs no help of the machine to be seen.
  assert.deepEqual(evaluateGates(bare, { wallS: 1301, monotonicS: 350 }).failed, ['time']);
  const half = evaluateGates(GOOD, { ...later(), governors: undefined } as unknown as MachineReading);
  assert.deepEqual(half.unchecked, ['governor', 'lost-samples']);
});

test('evaluateGates() takes other limits', () => {
  const limits = { governors: ['schedutil'], stealShare: 0.01, busyShare: 0.5, temperatureChangeC: 30 };
  const odd = { governors: ['schedutil'], busyShare: 0.4 };
  const after = later({ ...odd, ticks: { busy: 1, steal: 300, all: 70_000 }, temperatureC: 75 });
  assert.deepEqual(evaluateGates({ ...GOOD, ...odd }, after, { lostShare: 0 }, { limits }).failed, []);
});

/** The gate `steal` of a session of 60,000 ticks, of which the machine below took all but the first three. */
const stolen = (steal: number): Gate | undefined =>
  evaluateGates(GOOD, later({ ticks: { busy: 1, steal, all: 70_000 } }), { lostShare: 0 }).gates.find(
    ({ name }) => name === 'steal',
  );

test('evaluateGates() lets a hundredth of the session be taken by the machine below, and tells how much was', () => {
  assert.equal(stolen(603)?.met, true);
  assert.equal(stolen(604)?.met, false);
  assert.equal(stolen(603)?.after, '603 ticks, 1 % of the session');
});

test('failuresOf() names each gate that failed, what was found and what is let through', () => {
  const stamp = evaluateGates(GOOD, later({ temperatureC: 80 }), { lostShare: 0.5 });
  assert.equal(
    failuresOf(stamp),
    'temperature (80.0 C; expected at most 75 C, within 10 C of before), lost-samples (50 %; expected at most 0.1 %)',
  );
  assert.match(FORCE_HINT, /--force/);
});
