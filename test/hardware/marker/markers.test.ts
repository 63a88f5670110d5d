import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { hostWindows } from '../../../hardware/analysis/windows.ts';
import { GPIO_ROOT } from '../../../hardware/marker/gpio-number.ts';
import { checkMarker, listMarkers, openMarker, openMarkerLine } from '../../../hardware/marker/markers.ts';

test('openMarker("memory") measures what a mark costs before its opening burst', async () => {
  const { marker, cost } = await openMarker('memory', { burstUnitMs: 1 });
  assert.equal(cost?.synthetic, true);
  assert.equal(marker.label, 'memory');
  assert.equal(marker.log().edges.length, 16);
  await marker.close();
  assert.equal(marker.log().synthetic, true);
});

test('openMarker("none") keeps the times of windows, writes no burst and is not synthetic: the times are real', async () => {
  const { marker, cost } = await openMarker('none');
  assert.equal(cost, undefined);
  assert.equal(marker.label, 'none');
  marker.start('a');
  marker.start('b');
  marker.end('a');
  marker.end('b', 3);
  await marker.close();
  const log = marker.log();
  assert.equal(log.synthetic, false);
  assert.equal(log.edges.length, 4);
  assert.ok(log.edges.every(({ written }) => !written));
  const { windows } = hostWindows(log);
  assert.deepEqual(
    windows.map(({ id, calls }) => [id, calls]),
    [
      ['a', 1],
      ['b', 3],
    ],
  );
});

test('openMarkerLine() and checkMarker() refuse texts that name no marker', async () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /marker "": expected one of gpio:PIN\[\?chip=LABEL\], /],
    ['gpio', /the BCM number of a pin as an integer of at least 0 of at most 999, got none/],
    ['gpio:-1', /got -1/],
    ['gpio:1.5', /got 1.5/],
    ['gpio:17?x=1', /an option among chip, got x/],
    ['memory?x=1', /no options, got x/],
    ['none:1', /no address, got 1/],
  ];
  for (const [text, message] of wrong) {
    await assert.rejects(openMarkerLine(text), { key: 'ARGUMENT', message }, text);
    assert.throws(() => checkMarker(text), { key: 'ARGUMENT', message }, text);
  }
  checkMarker('gpio:17');
  checkMarker('gpio:2?chip=9030000.pl061');
});

test('listMarkers() says what this machine lacks', { skip: existsSync(GPIO_ROOT) }, async () => {
  const gpio = listMarkers().find(({ kind }) => kind === 'gpio');
  assert.equal(gpio?.state, 'absent');
  assert.match(gpio?.detail ?? '', /Cannot mark on GPIO17: expected \/sys\/class\/gpio, which does not exist$/);
  await assert.rejects(openMarkerLine('gpio:17'), { key: 'NO_PINS' });
});
