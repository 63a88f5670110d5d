import assert from 'node:assert/strict';
import { test } from 'node:test';
import { synchronousGlue } from '../../../../../host/component/prepare/glue/synchronous-glue.ts';

const BODY = '{throw new TypeError("asynchronous")}';

const CASES: readonly (readonly [source: string, expected: string])[] = [
  ['function f(){return 1}', 'function f(){return 1}'],
  ['async function f(a){await a}', ` function f(a)${BODY}`],
  ['let f=async function*(){yield 1};', `let f= function*(){yield 1};`],
  ['let f=async()=>({a:1});g()', `let f=()=>({a:1});g()`],
  ['let f=async()=>({a:await g});g()', `let f=()=>${BODY};g()`],
  ['let f=async a=>await a,b=1', `let f= a=>${BODY},b=1`],
  ['let f=async(a,b=()=>1)=>{await b};', `let f=(a,b=()=>1)=>${BODY};`],
  [
    'class C{static async f(a){for await(let b of a);}async*#g(){await 1}h(){}}',
    `class C{static  f(a)${BODY}*#g()${BODY}h(){}}`,
  ],
  [
    'let o={async f(){await 1},g:async()=>await 1,async(){return 2}}',
    `let o={ f()${BODY},g:()=>${BODY},async(){return 2}}`,
  ],
  ['async function f(){return async()=>{await 1}}f', ` function f(){return ()=>${BODY}}f`],
];

test('synchronousGlue() leaves functions that answer at once, or throw where they would wait, and all else as it is', () => {
  for (const [source, expected] of CASES) assert.equal(synchronousGlue(source), expected, source);
});
