import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyEdits } from '../../../../../host/component/prepare/glue/edits.ts';
import { UnknownShape } from '../../../../../host/component/prepare/glue/syntax.ts';

test('applyEdits() makes edits in the order of the text, and those that begin together in their own', () => {
  const edits = [
    { start: 4, end: 5, text: 'D' },
    { start: 0, end: 0, text: '<' },
    { start: 0, end: 1, text: 'A' },
    { start: 5, end: 5, text: '>' },
  ];
  assert.equal(applyEdits('abcde', edits), '<AbcdD>');
});

test('applyEdits() replaces what lies within a replaced text with it, and refuses edits that overlap otherwise', () => {
  const within = [
    { start: 1, end: 4, text: '-' },
    { start: 2, end: 3, text: 'lost' },
  ];
  assert.equal(applyEdits('abcde', within), 'a-e');
  const across = [
    { start: 1, end: 3, text: '-' },
    { start: 2, end: 4, text: '-' },
  ];
  assert.throws(() => applyEdits('abcde', across), UnknownShape);
});
