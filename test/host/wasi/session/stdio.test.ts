import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../../../../host/filesystem/descriptor.ts';
import { InputBuffer, OutputBuffer } from '../../../../host/wasi/session/stdio.ts';
import { ERRNO } from '../../../../host/wasi/errno.ts';

const result = {} as Result;

test('OutputBuffer takes what its limit lets in, in pieces of any size', () => {
  const output = new OutputBuffer('outputBytes', 5000);
  const expected: number[] = [];
  for (let i = 0; expected.length < 5000; i++) {
    const piece = Uint8Array.from({ length: (i * 13) % 200 }, (_, j) => (i + j) & 255);
    const taken = output.append(piece, 0, piece.length);
    assert.equal(taken, Math.min(piece.length, 5000 - expected.length));
    expected.push(...piece.subarray(0, taken));
  }
  assert.equal(output.append(Buffer.from('x'), 0, 1), 0);
  assert.equal(output.write(Buffer.from('x'), result), ERRNO.nospc);
  assert.deepEqual([...output.take()], expected);
  output.reset();
  assert.equal(output.take().length, 0);
  assert.equal(output.append(Buffer.from('xyz'), 1, 2), 2);
  assert.equal(Buffer.from(output.take()).toString(), 'yz');
});

test("OutputBuffer copies are the caller's: a later write does not reach them", () => {
  const output = new OutputBuffer('stderrBytes', 100);
  output.append(Buffer.from('first'), 0, 5);
  const taken = output.take();
  output.reset();
  output.append(Buffer.from('OTHER'), 0, 5);
  assert.equal(Buffer.from(taken).toString(), 'first');
  assert.equal(taken.buffer.byteLength, 5);
});

test('InputBuffer gives its bytes once and then nothing', () => {
  const input = new InputBuffer();
  input.reset(Buffer.from('abcdef'));
  const target = Buffer.alloc(10, '?');
  assert.equal(input.readInto(target, 2, 4), 4);
  assert.equal(target.toString(), '??abcd????');
  assert.equal(input.readableBytes(), 2);
  assert.equal(input.read(target, result), ERRNO.success);
  assert.equal(result.count, 2);
  assert.equal(input.readInto(target, 0, 10), 0);
  input.reset(new Uint8Array(0));
  assert.equal(input.readInto(target, 0, 10), 0);
  assert.equal(input.bytesRead, 0);
});
