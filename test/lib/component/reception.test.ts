import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { receive, type Received, type RequestStream } from '../../../lib/component/reception.ts';

const LIMITS = { bufferBytes: 100, inputBytes: 1000 };

/** A body of pieces with these lengths; `null` is a client that says nothing until it is woken. */
function bodyOf(
  lengths: readonly (number | null)[],
  woken: Promise<void> = new Promise(() => undefined),
): RequestStream {
  return {
    trailers: () => [['sum', '1']],
    async *[Symbol.asyncIterator]() {
      let at = 0;
      for (const length of lengths) {
        if (length === null) await woken;
        else yield Uint8Array.from({ length }, () => at++ % 256);
      }
    },
  };
}

async function bytesOf(received: Received): Promise<Uint8Array> {
  if (received.whole !== undefined) return received.whole;
  const pieces: Uint8Array[] = [];
  for await (const piece of received.rest) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('receive()', () => {
  it('answers the same bytes, whole up to the buffer and streamed beyond it', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lengths, async (pieces) => {
        const sizeBytes = pieces.reduce((sum, length) => sum + length, 0);
        const received = await receive(bodyOf(pieces), LIMITS, undefined);
        assert.equal(received.whole !== undefined, sizeBytes <= LIMITS.bufferBytes);
        assert.deepEqual(
          [...(await bytesOf(received))],
          Array.from({ length: sizeBytes }, (_, at) => at % 256),
        );
      }),
    );
  });

  it('has the trailers of a body that is whole, and those of one that still comes at its end', async () => {
    const whole = await receive(bodyOf([1]), LIMITS, undefined);
    assert.ok(whole.whole !== undefined);
    assert.deepEqual(whole.trailers, [['sum', '1']]);
    const coming = await receive(bodyOf([101]), LIMITS, undefined);
    assert.ok(coming.whole === undefined);
    assert.deepEqual(coming.rest.trailers?.(), [['sum', '1']]);
  });

  it('streams where the client pauses, and loses nothing of it', async () => {
    const line = new EventEmitter();
    const woken = once(line, 'woken').then(() => undefined);
    const received = await receive(bodyOf([3, null, 4], woken), LIMITS, undefined);
    assert.equal(received.whole, undefined);
    line.emit('woken');
    assert.deepEqual([...(await bytesOf(received))], [0, 1, 2, 3, 4, 5, 6]);
  });

  it('streams from the first byte where the buffer has none', async () => {
    const body = bodyOf([1]);
    assert.deepEqual(await receive(body, { ...LIMITS, bufferBytes: 0 }, undefined), { rest: body });
  });

  it('refuses a body above the input limit, and one whose client goes away', async () => {
    const code = 'ERR_NEBULA_INPUT_TOO_LARGE';
    await assert.rejects(receive(bodyOf([90, 1000]), LIMITS, undefined), { code });
    const gone = new AbortController();
    const receiving = receive(bodyOf([1, null]), LIMITS, gone.signal);
    gone.abort();
    await assert.rejects(receiving, { code: 'ERR_NEBULA_CLIENT_CLOSED' });
    await assert.rejects(receive(bodyOf([null]), LIMITS, AbortSignal.abort()), { code: 'ERR_NEBULA_CLIENT_CLOSED' });
  });
});
