import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, property, string } from 'fast-check';
import { printable, printableLines } from '../../../lib/wire/printable.ts';

test('printable() writes what moves a cursor, ends a line or turns the text as its number', () => {
  assert.equal(
    printable('\u001b[2J\n\r\u0000\u007f\u009b\u202e\u2028'),
    '\\u{1b}[2J\\u{a}\\u{d}\\u{0}\\u{7f}\\u{9b}\\u{202e}\\u{2028}',
  );
  assert.equal(printable('wasi:cli/run@0.2.3 é 函数 \\'), 'wasi:cli/run@0.2.3 é 函数 \\');
});

test('printableLines() keeps lines and nothing else of the kind', () => {
  assert.equal(printableLines('a\n\u001b\tb\n'), 'a\n\\u{1b}\\u{9}b\n');
  check(
    property(string({ unit: 'binary' }), (text) => {
      const shown = printableLines(text);
      assert.doesNotMatch(shown, /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      assert.equal(printableLines(shown), shown);
    }),
  );
});
