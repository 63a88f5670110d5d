import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitingImports } from '../../../../../host/component/prepare/glue/waiting-imports.ts';

/** How jco names a host function, lowers it and gives it to a core module. */
const glue = (fnName: string): string => `function instantiate(make) {
  let _trampoline3 = function (handle) { return handle; };
  _trampoline3.fnName = \`${fnName}\`;
  let lowered = _trampoline3.manuallyAsync
    ? new WebAssembly.Suspending(_trampoline3)
    : _lowerImportBackwardsCompat.bind(null, { trampolineIdx: 3, importFn: _trampoline3 });
  let drop = (handle) => handle;
  return make({ a: Object.assign(lowered, { _jcoMaySuspend: !1 }), b: Object.assign(drop, { _jcoMaySuspend: !1 }) });
}`;

test('waitingImports() marks what waits of wasi:io, and nothing else', () => {
  for (const [waits, parameters] of [
    ['poll@0.2.12#block', 'i'],
    ['poll@0.2.0#poll', 'iii'],
    ['streams@0.2.3#blockingRead', 'iIi'],
    ['streams@0.2.3#blockingSplice', 'iiIi'],
  ] as const) {
    const marked = waitingImports(glue(`wasi:io/${waits}`));
    assert.equal(
      marked,
      glue(`wasi:io/${waits}`).replace('(lowered, { _jcoMaySuspend: !1', `(lowered, { _jcoMaySuspend: '${parameters}'`),
    );
  }
  for (const other of [
    'wasi:io/poll@0.2.12#ready',
    'wasi:io/streams@0.2.3#read',
    'test:io/poll@0.2.0#poll',
    'wasi:http/types@0.2.0#block',
  ])
    assert.equal(waitingImports(glue(other)), glue(other));
});
