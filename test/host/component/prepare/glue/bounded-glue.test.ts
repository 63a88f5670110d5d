import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundedGlue } from '../../../../../host/component/prepare/glue/bounded-glue.ts';
import { UnknownShape } from '../../../../../host/component/prepare/glue/syntax.ts';

/** Glue around the code that jco makes for one component. */
function glue(body: string): string {
  return `function instantiate(first, imports, make) { let all = (function* () { ${body} })(); }`;
}

/** What becomes of the code. */
function bounded(body: string): string {
  return /function\* \(\) \{ ([^]*) \}\)\(\); \}$/.exec(boundedGlue(glue(body)))?.[1] ?? '';
}

/** What becomes of code that every glue has. */
function plain(body: string): string {
  return boundedGlue(`function instantiate(a) { ${body} }`);
}

const LOOP = 'for (let i = 0; i < n; i++) { let b = p + i * 8; r.push({ a: 1, b: [] }) }';

test('boundedGlue() counts a list before it is made, where its results and its arguments are', () => {
  // A slot, an object with two properties, an array, and eight bytes of the guest's memory.
  assert.equal(bounded(LOOP), `{$values.result.list(n,${8 + 48 + 32 + 8});${LOOP}}`);
  const argument = bounded(`let _trampoline0 = function (n, p) { ${LOOP} };`);
  assert.match(argument, /\{\$values\.argument\.list\(n,96\);for/);
});

test('boundedGlue() counts a list of a fixed length', () => {
  const loop = 'for (let i = 0; i < 5; i++) { let b = p + i * 2; r.push(read(b)) }';
  assert.equal(bounded(loop), `{$values.result.list(5,10);${loop}}`);
});

test('boundedGlue() counts the largest of the cases of a variant, and leaves inner lists to themselves', () => {
  const cases = 'switch (t) { case 0: v = {}; break; case 1: v = { a: 1, b: 2 }; break; default: throw 1 }';
  const inner = 'for (let j = 0; j < m; j++) { let c = q + j * 1; s.push([[[]]]) }';
  const text = bounded(`for (let i = 0; i < n; i++) { let b = p + i * 4; ${cases} ${inner} }`);
  assert.match(text, /^\{\$values\.result\.list\(n,92\);for/);
  assert.match(text, /\{\$values\.result\.list\(m,121\);for/);
});

test('boundedGlue() hands strings and lists of numbers to the checks', () => {
  assert.equal(bounded('s = d.decode(new Uint8Array(m.buffer, p, n));'), 's = $values.result.utf8(m,p,n);');
  assert.equal(bounded('s = d.decode(new Uint16Array(m.buffer, p, n));'), 's = $values.result.utf16(m,p,n);');
  assert.equal(
    bounded('l = new Uint32Array(m.buffer.slice(p, p + n * 4));'),
    'l = new Uint32Array($values.result.numbers(m,p,n,4));',
  );
  assert.equal(bounded('p = r(0, 0, 4, n * 8);'), 'p = (r(0, 0, 4, n * 8)>>>0);');
  assert.equal(bounded('b = new Uint8Array(v.buffer || v, v.byteOffset, n);'), 'b = $values.bytesOf(v,n);');
  assert.equal(
    bounded('throw TypeError(`list pointer [${p}] is odd`);'),
    'throw $values.trap(`list pointer [${p}] is odd`);',
  );
  assert.equal(bounded("throw TypeError('must be a string');"), "throw TypeError('must be a string');");
});

test("boundedGlue() traps for a handle of nothing, where jco makes a resource that is nobody's", () => {
  const made = '(r = Object.create(P.prototype), Object.defineProperty(r, h, {}))';
  assert.equal(bounded(`r || ${made};`), 'r || ($values.unknownHandle());');
  assert.equal(bounded(`r ? all.delete(n) : ${made};`), 'r ? all.delete(n) : ($values.unknownHandle());');
  const own = 'const r = isNew ? me : Object.create(P.prototype);';
  assert.equal(bounded(own), own);
});

test('boundedGlue() keeps no note of what was made, but for components that hand each other resources', () => {
  const make = 'function rscTableCreateOwn(t, r) { t._createdReps.add(r); }';
  assert.equal(
    plain(make),
    'function instantiate(a,$values) { function rscTableCreateOwn(t, r) {$values.countHandle(t); 0; } }',
  );
  assert.match(plain(`${make} if (t._createdReps.has(r)) a();`), /t\._createdReps\.add\(r\)/);
});

test("boundedGlue() leaves what lowers a caller's values", () => {
  const lowering = 'for (let i = 0; i < v.length; i++) { const e = v[i], b = r + i * 8; }';
  assert.equal(bounded(lowering), lowering);
});

test('boundedGlue() takes the place of what encodes strings', () => {
  const jco = `function _utf8AllocateAndEncode(s, r, m) { if (s.length === 0) return { ptr: 1, len: 0 }; return all(s); }`;
  const text = boundedGlue(`function instantiate(a) { ${jco} }`);
  assert.equal(
    text,
    'function instantiate(a,$values) { function _utf8AllocateAndEncode(s, r, m) {return $values.lowerUtf8(s,r,m)} }',
  );
});

test('boundedGlue() refuses glue that lifts in a way it does not know', () => {
  for (const body of [
    'for (let i = 0; i < n; i++) r.push(i);',
    'for (let i = 0; i < n; i++) { r.push(i); }',
    'for (let i = 0; i < n; i++) { let b = p + j * 8; }',
    'for (let i = n; i--; ) r.push(i);',
    'while (n--) r.push(1);',
    's = d.decode(m.buffer);',
    's = d.decode(new DataView(m.buffer, p, n));',
    'l = m.buffer.slice(p, end);',
    'l = list.slice(p, p + n * 4);',
  ]) {
    assert.throws(() => boundedGlue(glue(body)), UnknownShape, body);
  }
  assert.throws(() => boundedGlue('1'), UnknownShape);
});
