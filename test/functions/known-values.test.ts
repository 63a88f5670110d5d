/** Answers checked against what others computed: Node's own implementations, and values that were published. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { answerOf, readyFunction } from './answer.ts';

async function textOf(name: string, input: Uint8Array | string): Promise<string> {
  return Buffer.from((await answerOf(name, input)).stdout).toString();
}

const PUBLISHED: readonly (readonly [name: string, input: string, answer: string])[] = [
  ['fibonacci', '30\n', '832040\n'],
  ['fibonacci', '186', '332825110087067562321196029789634457848\n'],
  ['fibonacci-recursive', '20', '6765\n'],
  ['factorial', '34', '295232799039604140847618609643520000000\n'],
  ['prime-number', '1500', '12553\n'],
  ['sieve', '1000000', '78498 999983\n'],
  ['nbody', '1000', '-0.169075164\n-0.169087605\n'],
  ['spectral-norm', '100', '1.274219991\n'],
  ['crc32', '123456789', 'cbf43926\n'],
  ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n'],
  ['base64', 'fooba', 'Zm9vYmE=\n'],
  ['lookup', '0', '0 e220a8397b1dcdaf\n'],
];

for (const [name, input, answer] of PUBLISHED) {
  test(`${name} of ${JSON.stringify(input)} is the published value`, async () => {
    assert.equal(await textOf(name, input), answer);
  });
}

test('sha256, crc32 and base64 agree with Node at every length around a block', async () => {
  const [sha256, sum, base64] = await Promise.all(['sha256', 'crc32', 'base64'].map((name) => readyFunction(name)));
  assert.ok(sha256 !== undefined && sum !== undefined && base64 !== undefined);
  for (let sizeBytes = 0; sizeBytes <= 130; sizeBytes++) {
    const input = Buffer.from(Array.from({ length: sizeBytes }, (_, index) => (index * 37 + sizeBytes) & 255));
    const digest = createHash('sha256').update(input).digest('hex');
    assert.equal(String(sha256.answer(input).stdout), `${digest}\n`);
    assert.equal(String(sum.answer(input).stdout), `${crc32(input).toString(16).padStart(8, '0')}\n`);
    assert.equal(String(base64.answer(input).stdout), `${input.toString('base64')}\n`);
  }
  for (const ready of [sha256, sum, base64]) ready.close();
});

test('exponential is within one unit in the last place of Math.exp', async () => {
  const ready = await readyFunction('exponential');
  const bits = new BigUint64Array(1);
  for (let x = -708; x <= 709; x += 7.3) {
    const [shown = '', hex = ''] = String(ready.answer(String(x)).stdout)
      .trim()
      .split(' ');
    new Float64Array(bits.buffer)[0] = Math.exp(x);
    const apart = BigInt(`0x${hex}`) - (bits[0] ?? 0n);
    assert.ok(apart >= -1n && apart <= 1n, `e^${x}: ${shown} is ${apart} units from ${Math.exp(x)}`);
    assert.equal(Number(shown), new Float64Array(new BigUint64Array([BigInt(`0x${hex}`)]).buffer)[0]);
  }
  ready.close();
});

test('lookup answers from a table of 64 MiB as from one of 1 MiB', async () => {
  const init = { export: 'nebula_init', environment: { LOOKUP_MIB: '64' } };
  const { stdout, ending } = await answerOf('lookup', '8388607', { init });
  assert.deepEqual(ending, { kind: 'ok' });
  const small = await answerOf('lookup', '131071', { init });
  assert.match(String(stdout), /^8388607 [0-9a-f]{16}\n$/);
  assert.equal(String(small.stdout), await textOf('lookup', '131071'));
});

test('lookup refuses a table of another size than 1 to 64 MiB before anything runs', async () => {
  const init = { export: 'nebula_init', environment: { LOOKUP_MIB: '65' } };
  await assert.rejects(answerOf('lookup', '0', { init }), {
    code: 'ERR_NEBULA_INIT_FAILED',
    message: /expected LOOKUP_MIB from 1 to 64, got "65"/,
  });
});
