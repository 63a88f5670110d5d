import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readyFunction } from './answer.ts';
import { functionNames, readCases } from './cases.ts';
import { inputOf } from './inputs.ts';
import { nativePath, runNative, serveNative, skipWithoutNative } from './native.ts';

const skip = skipWithoutNative();

/** The program header that names a dynamic loader: a binary with one does not run in an empty image. */
const PT_INTERP = 3;

function hasLoader(binary: Buffer): boolean {
  const [start, size, count] = [Number(binary.readBigUInt64LE(32)), binary.readUInt16LE(54), binary.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => binary.readUInt32LE(start + index * size)).includes(PT_INTERP);
}

for (const name of functionNames()) {
  test(`${name} answers natively, once and served, byte for byte what its Wasm answers`, { skip }, async () => {
    const ready = await readyFunction(name);
    const cases = readCases(name).filter((given) => given.name !== 'large');
    const inputs = await Promise.all(cases.map((given) => inputOf(given)));
    const served = serveNative(name, inputs);
    assert.equal(served.length, inputs.length);
    for (const [index, input] of inputs.entries()) {
      const { ending, stdout, stderr } = ready.answer(input);
      const exitCode = ending.kind === 'exit' ? ending.exitCode : 0;
      const once = runNative(name, input);
      assert.deepEqual([once.exitCode, once.stderr], [exitCode, stderr], cases[index]?.name);
      assert.ok(Buffer.from(stdout).equals(once.stdout), cases[index]?.name);
      assert.deepEqual([served[index]?.exitCode, served[index]?.stderr], [exitCode, stderr], cases[index]?.name);
      assert.ok(Buffer.from(stdout).equals(served[index]?.stdout ?? Buffer.alloc(0)), cases[index]?.name);
    }
    ready.close();
  });

  test(`${name} is a static binary`, { skip }, () => {
    const binary = readFileSync(nativePath(name));
    assert.equal(binary.subarray(1, 4).toString(), 'ELF');
    assert.equal(hasLoader(binary), false);
  });
}

test('--serve refuses a frame that is cut, and says so', { skip }, () => {
  const { exitCode, stderr } = runNative('echo', Buffer.from([5, 0, 0, 0, 1]), ['--serve']);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^Cannot serve: /);
});

test('--serve refuses a frame above its limit, and says so', { skip }, () => {
  const { exitCode, stderr } = runNative('echo', Buffer.from([255, 255, 255, 255]), ['--serve']);
  assert.equal(exitCode, 1);
  assert.match(stderr, /expected a frame of at most 1073741824 bytes, got one of 4294967295/);
});
