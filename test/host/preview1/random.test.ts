import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guest } from './guest.ts';

const SEEDED = { random: { kind: 'seeded', seed: 7 } } as const;

function draw(guest: Guest, ...sizes: number[]): string {
  return sizes
    .map((size) => {
      const pointer = guest.room(size);
      assert.equal(guest.call('random_get', pointer, size), 'success');
      return guest.hex(pointer, size);
    })
    .join('');
}

test('random_get fills exactly what it was given, small and large', () => {
  const guest = new Guest();
  for (const size of [0, 1, 16, 256, 257, 60_000]) {
    guest.bytes.fill(63);
    guest.call('random_get', 1000, size);
    assert.equal(guest.text(1000 + size, 4), '????');
    assert.equal(guest.text(996, 4), '????');
    if (size >= 16) assert.notEqual(guest.text(1000, size), '?'.repeat(size));
  }
});

test('random_get gives one sequence per seed, the same for each invocation however it is cut', () => {
  const guest = new Guest({ capabilities: SEEDED });
  const whole = draw(guest, 64);
  guest.begin();
  assert.equal(draw(guest, 1, 2, 3, 10, 48), whole);
  assert.equal(draw(new Guest({ capabilities: SEEDED }), 64), whole);
  const other = new Guest({ capabilities: { random: { kind: 'seeded', seed: 8 } } });
  assert.notEqual(draw(other, 64), whole);
});
