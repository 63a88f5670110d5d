import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { bytesOfText, textOfBytes } from '../../host/byte-text.ts';

describe('textOfBytes()', () => {
  it('is UTF-8 where the bytes are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        assert.equal(textOfBytes(Buffer.from(text)), text);
        assert.deepEqual(Buffer.from(bytesOfText(text)), Buffer.from(text));
      }),
    );
  });

  it('keeps each byte that is part of no UTF-8', () => {
    assert.equal(textOfBytes(Buffer.from('a\xffb\xc3', 'latin1')), 'a\udcffb\udcc3');
    // Overlong, a surrogate, beyond U+10FFFF.
    assert.equal(textOfBytes(Buffer.from('\xc0\x80', 'latin1')), '\udcc0\udc80');
    assert.equal(textOfBytes(Buffer.from('\xed\xa0\x80', 'latin1')), '\udced\udca0\udc80');
    assert.equal(textOfBytes(Buffer.from('\xf4\x90\x80\x80', 'latin1')), '\udcf4\udc90\udc80\udc80');
    assert.equal(textOfBytes(Buffer.from('\xffü€😀')), `\u00ffü€😀`);
  });

  it('is undone by bytesOfText() for any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc3, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xed, 0xa0), { maxLength: 20 }),
    );
    fc.assert(
      fc.property(bytes, (given) =>
        assert.deepEqual([...bytesOfText(textOfBytes(Uint8Array.from(given)))], [...given]),
      ),
    );
  });
});

describe('bytesOfText()', () => {
  it('writes other lone surrogates as U+FFFD', () => {
    assert.deepEqual(bytesOfText('\ud800a'), Uint8Array.of(0xef, 0xbf, 0xbd, 0x61));
  });
});
