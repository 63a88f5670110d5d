import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { answerOf } from './answer.ts';
import { nativePath, skipWithoutNative } from './native.ts';

const STAMPED = { NEBULA_STAMP: '1' };

/** Start and end out of a stamp line, which must lie within the call. */
function checkStamps(stderr: string, calledNs: bigint, answeredNs: bigint): void {
  const match = /^nebula-stamp (\d+) (\d+)\n$/.exec(stderr);
  assert.notEqual(match, null, stderr);
  const [startNs, endNs] = [BigInt(match?.[1] ?? 0), BigInt(match?.[2] ?? 0)];
  assert.ok(calledNs < startNs && startNs <= endNs && endNs < answeredNs, `${calledNs} ${stderr} ${answeredNs}`);
}

for (const [name, input, expected] of [
  ['noop', '', ''],
  ['fibonacci', '30', '832040\n'],
] as const) {
  test(`stamps of ${name} in Wasm lie within its call`, async () => {
    const calledNs = process.hrtime.bigint();
    const answer = await answerOf(name, input, { capabilities: { environment: STAMPED } });
    checkStamps(answer.stderr, calledNs, process.hrtime.bigint());
    assert.equal(Buffer.from(answer.stdout).toString(), expected);
  });

  test(`stamps of ${name} as a process lie within its call`, { skip: skipWithoutNative() }, () => {
    const calledNs = process.hrtime.bigint();
    const run = spawnSync(nativePath(name), { input, env: STAMPED });
    checkStamps(run.stderr.toString(), calledNs, process.hrtime.bigint());
    assert.equal(run.stdout.toString(), expected);
  });

  test(`stamps of ${name} are not made without the variable`, async () => {
    assert.equal((await answerOf(name, input)).stderr, '');
  });
}

test('stamps of a refused call follow its refusal', async () => {
  const { stderr, ending } = await answerOf('fibonacci', 'x', { capabilities: { environment: STAMPED } });
  assert.equal(ending.kind, 'exit');
  assert.match(stderr, /^Cannot read the input: .*\nnebula-stamp \d+ \d+\n$/);
});

test('stamps of a served frame end its stderr', { skip: skipWithoutNative() }, () => {
  const frame = Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from('30')]);
  const calledNs = process.hrtime.bigint();
  const { stdout } = spawnSync(nativePath('fibonacci'), ['--serve'], { input: frame, env: STAMPED });
  const stdoutBytes = stdout.readUInt32LE(4);
  checkStamps(stdout.subarray(12 + stdoutBytes).toString(), calledNs, process.hrtime.bigint());
});
