import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AnswerReader, requestHeader } from '../../../pools/native/frames.ts';

const LIMITS = { outputBytes: 100, stderrBytes: 50 };

function answer(exitCode: number, stdout: Uint8Array, stderr: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(exitCode, 0);
  header.writeUInt32LE(stdout.length, 4);
  header.writeUInt32LE(stderr.length, 8);
  return Buffer.concat([header, stdout, stderr]);
}

function header(stdoutBytes: number, stderrBytes: number): Uint8Array {
  return answer(0, new Uint8Array(stdoutBytes), new Uint8Array(stderrBytes)).subarray(0, 12);
}

test('requestHeader() is the length in little-endian order', () => {
  assert.deepEqual([...requestHeader(0x01020304)], [4, 3, 2, 1]);
});

test('AnswerReader.take() puts an answer together, wherever it is cut', () => {
  const parts = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 50 }));
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 170 }), ([exitCode, stdout, stderr], size) => {
      const bytes = answer(exitCode, stdout, stderr);
      const reader = new AnswerReader(LIMITS);
      for (let at = 0; at < bytes.length; at += size) {
        const result = reader.take(bytes.subarray(at, at + size));
        if (at + size < bytes.length) assert.equal(result, undefined);
        else assert.deepEqual(result, { exitCode, stdout, stderr });
      }
    }),
  );
});

test('AnswerReader.take() refuses more than the limits, before the bytes arrive', () => {
  assert.equal(new AnswerReader(LIMITS).take(header(101, 0)), 'outputBytes');
  assert.equal(new AnswerReader(LIMITS).take(header(0, 51)), 'stderrBytes');
});

test('AnswerReader.take() refuses what is no frame: text, and bytes after the end', () => {
  assert.equal(new AnswerReader(LIMITS).take(Buffer.from('Hello, world')), 'no-frame');
  assert.equal(
    new AnswerReader(LIMITS).take(Buffer.concat([answer(0, Buffer.from('a'), Buffer.from('')), Buffer.from('b')])),
    'no-frame',
  );
});
