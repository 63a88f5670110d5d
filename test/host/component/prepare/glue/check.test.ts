import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGlue } from '../../../../../host/component/prepare/glue/check.ts';
import { guardGlue } from '../../../../../host/component/prepare/glue/guard.ts';
import { evaluateGlue } from '../../../../../host/component/vm/glue-realm.ts';

const REFUSED = { code: 'ERR_NEBULA_GLUE_REFUSED' };

/** Statements of a glue, each a way to what it must not reach, or something that jco does not write. */
const OTHER_SHAPES: readonly string[] = [
  `async function g() { throw 1 }`,
  `let g = async () => 1`,
  `({ async g() {} })`,
  `class C { async *g() {} }`,
  `Object.defineProperty(f, $slot('message'), { get() { return 1 } })`,
  `Object.defineProperty(f, $slot('message'), { get: f })`,
  `Object.defineProperty(f, $slot('message'), { ...f })`,
  `Object.defineProperty(f, $slot('message'), f)`,
  `[].constructor`,
  `[]['constructor']`,
  `[]["const" + "ructor"]`,
  `let k = 'constructor'; [][k]`,
  `[][\`constructor\`]`,
  `let { constructor: f } = []`,
  `let { 'constructor': f } = []`,
  `let { ['constructor']: f } = []`,
  `let { a: { constructor: f } } = x`,
  `f?.constructor`,
  `f.\\u0063onstructor`,
  `({ constructor: 1 })`,
  `({ __proto__: f })`,
  `f.__proto__`,
  `f.prototype`,
  `let p = Uint8Array.prototype`,
  `Uint8Array.prototype.set = 1`,
  `Object.create(f.prototype, {})`,
  `f.__defineGetter__('a', f)`,
  `Object.getPrototypeOf(f)`,
  `Object.setPrototypeOf(f, f)`,
  `Object['getPrototypeOf'](f)`,
  `let { getPrototypeOf } = Object`,
  `let o = Object`,
  `f(Object)`,
  `let f = Object.keys`,
  `Object.keys = f`,
  `Object.assign(f, { call: f })`,
  `Object.assign(f, g)`,
  `Object.assign(...f)`,
  `Object.defineProperty(f, 'a', {})`,
  `Object.defineProperty(...f, $slot(a), {})`,
  `f.call = f`,
  `f.apply ||= f`,
  `[f.call] = [f]`,
  `({ a: f.call } = f)`,
  `for (f.call of f);`,
  `delete f.call`,
  `f['toString'] = f`,
  `f[$key(k)] = 1`,
  `f[$slot(k)]`,
  `let g = $key`,
  `$key = f`,
  `let $key = f`,
  `function $key() {}`,
  `f[$key()]`,
  `f[$key(...k)]`,
  `$method(...f)`,
  `TextDecoder.decode = f`,
  `f(TextDecoder)`,
  `eval('1')`,
  `Function('1')`,
  `new Function('1')`,
  `process`,
  `require('fs')`,
  `Reflect.get(f, 'a')`,
  `new Proxy(f, {})`,
  `globalThis.process?.constructor`,
  `let Object = f`,
  `let Map = f`,
  `import('node:fs')`,
  `import.meta`,
  `new.target`,
  `new.target == f`,
  `f === new.target`,
  `new.target === f.a`,
  `new new.target()`,
  `/a/`,
  `f\`a\``,
  `debugger`,
  `class A extends f {}`,
  `class A { static { f() } }`,
  `class A { ['constructor']() {} }`,
  `class A { static constructor() {} }`,
  `'\\u2028'`,
  `\`\\0\``,
  `Error.prepareStackTrace = f`,
  `Error.captureStackTrace(f)`,
];

test('checkGlue() refuses every way from an object to what made it, and all that jco does not write', () => {
  for (const statement of OTHER_SHAPES) {
    const glue = `(function(f,g,x,a,k){${statement}})`;
    assert.throws(() => checkGlue(glue), REFUSED, statement);
  }
});

test('checkGlue() lets a constructor compare what it was called with, which is what jco writes for exported resources', () => {
  checkGlue('(function(f){class C{constructor(){let o=new.target===C?this:f;return o}}return C})');
});

test('checkGlue() refuses what is not one function', () => {
  for (const glue of [
    '',
    '1',
    '(() => 1)',
    '(function(){})()',
    '(function(){}),(function(){})',
    '(function(){});(1)',
    'function f(){}',
  ]) {
    assert.throws(() => checkGlue(glue), REFUSED, glue);
  }
  for (const glue of ['(function(){', '(function(){with(a){}})', '(function(){}) <!--)', '(async function(){})(1)']) {
    assert.throws(() => checkGlue(glue), REFUSED, glue);
  }
});

test('checkGlue() takes what jco writes, once its keys are guarded', () => {
  const glue = `(function(){return function(imports){let t=[0],s=Symbol('a');class R{#a=1;static n=0;}
    R.prototype.readAll=function readAll(){return this};R.prototype['x-y']=()=>t;
    const own=Object.prototype.hasOwnProperty;let r=Object.create(R.prototype);
    Object.defineProperty(r,s,{writable:true,value:t[(1<<1)+1]});Object.assign(own,{_jcoMaySuspend:false});
    for(let i=0;i<2;i++)t[i]=r[s]??imports['wasi:io/streams'];
    return {r,t,n:'get-value',call:()=>r.readAll()}}})`;
  assert.throws(() => checkGlue(glue), REFUSED, 'without guards');
  const guarded = guardGlue(glue);
  checkGlue(guarded);
  const made = (evaluateGlue(guarded, 'glue.js') as () => (imports: object) => { call: () => object; r: object })()({});
  assert.equal(made.call(), made.r);
});

test('evaluateGlue() has guards that let no taken name through, in whatever form it comes', () => {
  const glue = guardGlue(
    `(function(object,key,value,isWrite){if(isWrite)return object[key]=value;return object[key]})`,
  );
  checkGlue(glue);
  const access = evaluateGlue(glue, 'glue.js') as (
    object: object,
    key: unknown,
    value?: unknown,
    isWrite?: boolean,
  ) => unknown;
  const late = { toString: (): string => 'constructor' };
  let turn = 0;
  const changing = { toString: (): string => (turn++ === 0 ? 'length' : 'constructor') };
  for (const key of ['constructor', '__proto__', 'prototype', ['constructor'], late]) {
    assert.throws(() => access([], key), /may not use the property/, String(key));
  }
  assert.equal(access([], changing), 0);
  assert.equal(access([5], 0), 5);
  assert.equal(access({ call: 1 }, 'call'), 1);
  for (const key of ['call', 'apply', 'then', 'constructor']) {
    assert.throws(() => access({}, key, 1, true), /may not use the property/, key);
  }
});

test('evaluateGlue() lets glue give its own classes methods of any name that a component may have', () => {
  const glue = guardGlue(`(function(){class R{}R.prototype.call=()=>1;R.prototype['then']=()=>2;return new R})`);
  checkGlue(glue);
  const made = (evaluateGlue(glue, 'glue.js') as () => { call: () => number; then: () => number })();
  assert.deepEqual([made.call(), made.then()], [1, 2]);
});

test('evaluateGlue() changes no class of another', () => {
  const glue = guardGlue(`(function(owner,method){owner.prototype.drop=method})`);
  checkGlue(glue);
  const change = evaluateGlue(glue, 'glue.js') as (owner: object, method: unknown) => void;
  class Other {
    drop(): string {
      return 'own';
    }
  }
  for (const owner of [Other, Uint8Array, Function, {}, { prototype: Other.prototype }]) {
    assert.throws(() => change(owner, () => 'another'), /may not change a class of another/);
  }
  assert.equal(new Other().drop(), 'own');
});
