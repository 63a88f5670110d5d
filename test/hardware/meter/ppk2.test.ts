/** The protocol of a PPK2, its bytes and the mock port of serialport: no device. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SerialPortMock } from 'serialport';
import { Ppk2Decoder, parsePpk2Calibration, ppk2CurrentA } from '../../../hardware/meter/ppk2-samples.ts';
import { openPpk2, ppk2SourceOn } from '../../../hardware/meter/ppk2-source.ts';
import { recordSource } from '../../../hardware/meter/power-source.ts';

const METADATA = 'Calibrated: 1\nR0: 1000\nR4: 0.05\nGS4: -nan\nO1: 12\nUG4: 2\nVDD: 3700\nHW: 9173\nEND';

/** A sample as the device sends it. */
function sampleOf(adc: number, range: number, counter: number, inputs = 0): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(((adc | (range << 14) | ((counter & 63) << 18)) + inputs * 2 ** 24) >>> 0);
  return bytes;
}

test('parsePpk2Calibration() takes what the device says and the nominal value elsewhere', () => {
  const found = parsePpk2Calibration(METADATA);
  assert.deepEqual(found.r, [1000, 101.65, 10.15, 0.94, 0.05]);
  assert.deepEqual(found.gs, [1, 1, 1, 1, 1]);
  assert.deepEqual(found.o, [0, 12, 0, 0, 0]);
  assert.deepEqual(found.ug, [1, 1, 1, 1, 2]);
  assert.throws(() => parsePpk2Calibration('R0: 1000\n'), { key: 'SOURCE_PAYLOAD' });
  assert.throws(() => parsePpk2Calibration('END'), { key: 'SOURCE_PAYLOAD' });
});

test('ppk2CurrentA() is the maker formula, and no current for a range that does not exist', () => {
  const calibration = parsePpk2Calibration(METADATA);
  const plain = (1000 * 4 * 1.8) / 163_840 / 1000;
  const got = ppk2CurrentA(calibration, sampleOf(1000, 0, 0).readUInt32LE(), 5);
  assert.ok(Math.abs((got ?? 0) - plain * (plain + 1)) < 1e-15);
  assert.equal(ppk2CurrentA(calibration, sampleOf(1000, 5, 0).readUInt32LE(), 5), undefined);
});

test('Ppk2Decoder keeps places over lost samples and joins samples cut in two', () => {
  const decoder = new Ppk2Decoder(parsePpk2Calibration(METADATA), 5);
  const bytes = Buffer.concat([sampleOf(1, 0, 62), sampleOf(2, 0, 63, 0x81), sampleOf(3, 0, 3), sampleOf(4, 7, 4)]);
  const samples = [
    ...decoder.add(bytes.subarray(0, 6)),
    ...decoder.add(bytes.subarray(6, 7)),
    ...decoder.add(bytes.subarray(7)),
  ];
  assert.deepEqual(
    samples.map((sample) => (sample.kind === 'sample' ? [sample.index, sample.inputs] : sample)),
    [[0, 0], [1, 0x81], { kind: 'lost', missing: 3 }, [5, 0], { kind: 'malformed' }],
  );
});

test('ppk2SourceOn() records power and inputs from a port, with lost samples as breaks', async () => {
  SerialPortMock.binding.createPort('/dev/ppk2', { record: true, echo: false });
  const port = new SerialPortMock({ path: '/dev/ppk2', baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve) => port.open(() => resolve()));
  const opening = ppk2SourceOn(port, 5);
  await sleep(20);
  port.port?.emitData(Buffer.from(METADATA));
  const source = await opening;
  const stop = new AbortController();
  const recording = recordSource(source, stop.signal);
  await sleep(20);
  const samples = [0, 1, 2, 9, 10].map((counter) => sampleOf(1000, 4, counter, counter >= 2 ? 1 : 0));
  port.port?.emitData(Buffer.concat(samples));
  await sleep(50);
  stop.abort();
  const { trace, lines, counts } = await recording;
  await sleep(20);
  assert.deepEqual([...(port.port?.recording ?? [])], [0x19, 0x11, 1, 0x0c, 1, 0x06, 0x07]);
  await source.close();
  assert.deepEqual([...trace.timeS], [0, 1e-5, 2e-5, 9e-5, 10e-5]);
  assert.deepEqual(trace.breaks, [2]);
  assert.equal(counts.lost, 1);
  assert.equal(trace.clock, 'logger');
  assert.ok((trace.value[0] ?? 0) > 0);
  assert.deepEqual(
    lines.get('D0')?.map(({ timeS, level }) => [Number(timeS.toFixed(7)), level]),
    [[15e-6, 1]],
  );
});

test('openPpk2() says which port it cannot open and refuses no voltage', async () => {
  await assert.rejects(openPpk2('/dev/nonexistent', 5), { key: 'SOURCE_UNREACHABLE' });
  await assert.rejects(openPpk2('/dev/nonexistent', 0), { key: 'ARGUMENT' });
});
