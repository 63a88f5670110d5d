import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as check, oneof, property, uint8Array } from 'fast-check';
import { GatheredBytes } from '../../host/gathered-bytes.ts';

describe('GatheredBytes', () => {
  it('gives back what was added, in order, whatever the pieces', () => {
    const piece = oneof(uint8Array({ maxLength: 8 }), uint8Array({ minLength: 1000, maxLength: 3000 }));
    check(
      property(array(piece, { maxLength: 50 }), (pieces) => {
        const gathered = new GatheredBytes();
        for (const bytes of pieces) gathered.add(bytes.slice());
        const expected = Buffer.concat(pieces);
        assert.equal(gathered.sizeBytes, expected.length);
        assert.deepEqual(Buffer.concat(gathered.pieces()), expected);
        assert.deepEqual(Buffer.from(gathered.whole()), expected);
      }),
    );
  });

  it('keeps few pieces and few bytes more, however small the pieces come', () => {
    const gathered = new GatheredBytes();
    for (let count = 0; count < 1_000_000; count++) gathered.add(Uint8Array.of(count));
    const pieces = gathered.pieces();
    assert.ok(pieces.length < 100, `${pieces.length} pieces`);
    const heldBytes = pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    assert.ok(heldBytes < 1_100_000, `${heldBytes} bytes`);
  });

  it('does not copy a single piece, nor large ones', () => {
    const large = [new Uint8Array(3), new Uint8Array(2000), new Uint8Array(5000)];
    const gathered = new GatheredBytes();
    gathered.add(large[0] as Uint8Array);
    assert.equal(gathered.whole(), large[0]);
    gathered.add(large[1] as Uint8Array);
    gathered.add(large[2] as Uint8Array);
    assert.deepEqual(
      gathered.pieces().map((piece) => large.findIndex((each) => each === piece)),
      [0, 1, 2],
    );
  });
});
