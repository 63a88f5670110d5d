import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentWit } from '@bytecodealliance/jco-transpile/wasm-tools';
import * as fc from 'fast-check';
import { rewriteNames } from '../../../../../host/component/prepare/names/component-names.ts';
import { isExternName, isLabel, takenLabel } from '../../../../../host/component/prepare/names/grammar.ts';
import { isNebulaError } from '../../../../../host/errors.ts';
import { textComponent } from '../../components.ts';
import { assemble, TEMPLATES } from './name-templates.ts';

const EVIL = `'+globalThis.x+'\n\`\${}\u2028*/`;

function holds(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).includes(Buffer.from(text));
}

test('rewriteNames() leaves no name of a core module and no custom section, and the world as it was', async () => {
  for (const place of Object.keys(TEMPLATES).filter((each) => /^core|section|nested/.test(each))) {
    const given = await assemble(place, EVIL, 'other-name');
    assert.ok(holds(given, EVIL), `${place}: ${EVIL}`);
    const rewritten = rewriteNames(given);
    assert.ok(!holds(rewritten, EVIL) && !holds(rewritten, 'other-name'), place);
    assert.equal(await componentWit(rewritten), await componentWit(given), place);
  }
  for (const given of [textComponent('hello'), textComponent('dial'), textComponent('trailers')]) {
    const rewritten = rewriteNames(given);
    for (const name of ['cabi_realloc', 'producers', 'component-name']) assert.ok(!holds(rewritten, name), name);
    assert.equal(await componentWit(rewritten), await componentWit(given));
    assert.deepEqual(rewriteNames(rewritten), rewritten, 'names that were made here stay');
  }
});

test('rewriteNames() refuses a name of the component that is not of the grammar, naming where', async () => {
  const places = Object.keys(TEMPLATES).filter((each) => !/^core|section|nested|version/.test(each));
  assert.ok(places.length >= 14);
  for (const place of places) {
    for (const name of [`'];x//`, 'a b', '__proto__', 'a--b', '']) {
      const given = await assemble(place, name, name);
      assert.throws(
        () => rewriteNames(given),
        (error) => {
          assert.ok(isNebulaError(error) && error.key === 'MODULE_INVALID', `${place} ${name}: ${String(error)}`);
          const { offset, detail } = error.fields;
          assert.ok(typeof offset === 'number' && offset < given.length, place);
          return /is not of the component model's grammar/.test(String(detail));
        },
        `${place} ${name}`,
      );
    }
  }
});

test('rewriteNames() refuses labels that JavaScript has taken', async () => {
  for (const name of ['constructor', 'prototype', 'CONSTRUCTOR', 'prepare-stack-trace']) {
    const given = await assemble('export', name, name);
    assert.throws(() => rewriteNames(given), { code: 'ERR_NEBULA_MODULE_UNSUPPORTED', message: new RegExp(name) });
  }
});

test('rewriteNames() ends with an error of the table for whatever bytes it is given', () => {
  const hello = textComponent('hello');
  const edits = fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(edits, fc.nat(hello.length), (changed, end) => {
      const bytes = hello.slice(0, end < hello.length / 8 ? end : hello.length);
      for (const [at, value] of changed) if (at < bytes.length) bytes[at] = value;
      try {
        rewriteNames(bytes);
      } catch (error) {
        assert.ok(isNebulaError(error), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('rewriteNames() refuses components that nest without end', () => {
  const preamble = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
  let bytes = Buffer.from(preamble);
  for (let depth = 0; depth < 120; depth++) {
    const size = [(bytes.length & 0x7f) | 0x80, (bytes.length >> 7) & 0x7f];
    bytes = Buffer.concat([Buffer.from([...preamble, 0x04, ...size]), bytes]);
  }
  assert.throws(() => rewriteNames(new Uint8Array(bytes)), /nest deeper than 100 levels/);
});

test('isExternName() takes names of the component model and no others', () => {
  const taken = ['a', 'get-value', 'HTTP-error', 'wasi:io/streams@0.2.3', 'a:b/c@1.0.0-rc.1+x', 'a:b:c/d/e'];
  for (const name of [...taken, '[constructor]r', '[method]in-stream.read', '[static]r.f'])
    assert.ok(isExternName(name), name);
  const others = [
    '',
    '-',
    'a-',
    '-a',
    '1a',
    'a_b',
    'a.b',
    "a'",
    'a\n',
    'a:b',
    'a/b',
    'a:b/c@',
    'a:b/c@x',
    '[method]r',
    'a:b/c@1.0.0"',
  ];
  for (const name of [...others, 'url=<https://a>', 'locked-dep=<a:b>', '[x]r', '[method]r.f.g', 'a\u2028']) {
    assert.ok(!isExternName(name), name);
  }
  assert.ok(isLabel('a-b1') && !isLabel('a:b/c') && !isLabel(''));
  assert.equal(takenLabel('[constructor]r'), undefined);
  assert.equal(takenLabel('[method]r.constructor'), 'constructor');
});
