import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Demultiplexer } from '../../../../pools/container/engine/demultiplexer.ts';

function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

test('Demultiplexer gives each stream its bytes, wherever the chunks are cut', () => {
  const message = fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (messages, cuts) => {
      const taken: Buffer[][] = [[], []];
      const demultiplexer = new Demultiplexer(
        (chunk) => taken[0]?.push(Buffer.from(chunk)),
        (chunk) => taken[1]?.push(Buffer.from(chunk)),
      );
      const bytes = Buffer.concat(messages.map(([stream, payload]) => frame(stream, payload)));
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + (cuts[turn % cuts.length] as number);
        demultiplexer.take(bytes.subarray(at, end));
        at = end;
      }
      for (const stream of [1, 2]) {
        const sent = messages.filter(([each]) => each === stream).map(([, payload]) => payload);
        assert.deepEqual(Buffer.concat(taken[stream - 1] ?? []), Buffer.concat(sent));
      }
    }),
  );
});
