import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_BYTES, noOutput, STRICT_UTF8_DECODER, UTF8_DECODER, UTF8_ENCODER } from '../../host/bytes.ts';
import { Deployed, define } from './function.ts';

const MARKED = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61);

test('noOutput() is not NO_BYTES: a caller that transfers it away takes nothing from later calls', async () => {
  assert.notEqual(noOutput().buffer, NO_BYTES.buffer);
  const deployed = new Deployed(await define('(module (func (export "_start")))'));
  for (let call = 0; call < 2; call++) {
    assert.equal(deployed.run(NO_BYTES).kind, 'ok');
    const stdout = deployed.vm.stdout();
    assert.equal(stdout.length, 0);
    structuredClone(stdout.buffer, { transfer: [stdout.buffer as ArrayBuffer] });
    deployed.settle();
  }
});

test('UTF8_ENCODER and UTF8_DECODER replace what is no text', () => {
  assert.deepEqual([...UTF8_ENCODER.encode('a\ud800')], [0x61, 0xef, 0xbf, 0xbd]);
  assert.equal(UTF8_DECODER.decode(Uint8Array.of(0x61, 0xff)), 'a\ufffd');
  assert.equal(UTF8_DECODER.decode(MARKED), 'a');
});

test('STRICT_UTF8_DECODER keeps a byte order mark, refuses what is no UTF-8, and goes on after that', () => {
  assert.equal(STRICT_UTF8_DECODER.decode(MARKED), '\ufeffa');
  assert.throws(() => STRICT_UTF8_DECODER.decode(Uint8Array.of(0xe2, 0x82)), TypeError);
  assert.equal(STRICT_UTF8_DECODER.decode(Uint8Array.of(0xe2, 0x82, 0xac)), '€');
});
