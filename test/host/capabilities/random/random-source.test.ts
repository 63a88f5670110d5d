import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomSource } from '../../../../host/capabilities/random/random-source.ts';

function hexOf(source: RandomSource, ...sizes: readonly number[]): string {
  return sizes
    .map((size) => {
      const bytes = new Uint8Array(size);
      source.draw(bytes, 0, size);
      return Buffer.from(bytes).toString('hex');
    })
    .join('');
}

test('RandomSource.draw() fills exactly what it was given, small and large', () => {
  for (const source of [new RandomSource({ kind: 'secure' }), new RandomSource({ kind: 'seeded', seed: 1 })]) {
    for (const size of [0, 1, 16, 256, 257, 5000]) {
      const bytes = new Uint8Array(size + 8).fill(63);
      source.draw(bytes, 4, size);
      assert.deepEqual([...bytes.subarray(0, 4), ...bytes.subarray(size + 4)], [63, 63, 63, 63, 63, 63, 63, 63]);
      if (size >= 16) assert.ok(bytes.subarray(4, size + 4).some((byte) => byte !== 63));
    }
  }
});

test('RandomSource never gives the same bytes twice when it is secure, whoever asks', () => {
  const sources = [new RandomSource({ kind: 'secure' }), new RandomSource({ kind: 'secure' })];
  const drawn = Array.from({ length: 2000 }, (_, i) => hexOf(sources[i % 2] as RandomSource, 16));
  assert.equal(new Set(drawn).size, drawn.length);
});

test('RandomSource has one sequence per seed, however it is cut, and restart() begins it again', () => {
  const source = new RandomSource({ kind: 'seeded', seed: 7 });
  const whole = hexOf(source, 300);
  source.restart();
  assert.equal(hexOf(source, 1, 2, 3, 5, 100, 189), whole);
  assert.equal(hexOf(new RandomSource({ kind: 'seeded', seed: 7 }), 300), whole);
  assert.notEqual(hexOf(new RandomSource({ kind: 'seeded', seed: 7.5 }), 300), whole);
});

test('RandomSource spreads a seeded sequence evenly', () => {
  const bytes = new Uint8Array(65_536);
  new RandomSource({ kind: 'seeded', seed: 0 }).draw(bytes, 0, bytes.length);
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  // Six standard deviations of a binomial around 256.
  assert.ok(counts.every((count) => count > 160 && count < 352));
});
