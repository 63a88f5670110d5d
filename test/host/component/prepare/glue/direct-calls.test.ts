import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directCalls } from '../../../../../host/component/prepare/glue/direct-calls.ts';

/** One call into the host as jco writes it, and how a core module imports it. */
const glue = (
  returned = 'toUint16(result)',
  method = 'exit',
  isAsync = '!1',
): string => `function instantiate(host, $values) {
  const log = [];
  const told = (...words) => { log.push(words.join(' ')); };
  const _debugLog = () => told('logged');
  const toUint16 = (value) => value & 65535;
  const _checkMayLeave = (component) => { if (!host.mayLeave) throw Error('cannot leave ' + component); };
  const createNewCurrentTask = () => { told('a task'); return [{ enterSync() {}, componentIdx: () => -1, id: () => 7, setParentSubtask() {},
    setErrored() {}, reject() {}, resolve([value]) { told('resolved ' + value); }, exit() {}, other() {} }]; };
  const getCurrentTask = () => undefined;
  const _getGlobalCurrentTaskMeta = () => undefined;
  const _withGlobalCurrentTaskMeta = ({ fn }) => fn();
  const _trackHostOperation = (fn) => fn();
  const _lowerImportBackwardsCompat = ({ importFn }, ...given) => { told('lowered'); return importFn(...given); };
  let _trampoline3 = function (handle) {
    _debugLog('enter', { handle });
    let parent, task, subtask, createTask = () => { task = createNewCurrentTask({ componentIdx: -1 })[0]; };
    taskCreation: {
      if (parent = getCurrentTask(0, _getGlobalCurrentTaskMeta(0)?.taskID)?.task, !parent) { createTask(); break taskCreation; }
      task.setParentSubtask(subtask);
    }
    task.enterSync();
    let result;
    try {
      result = _withGlobalCurrentTaskMeta({ componentIdx: task.componentIdx(), taskID: task.id(), fn: () => _trackHostOperation(() => host.status(handle)) });
    } catch (error) {
      throw _debugLog('error', { taskID: task.id() }), task.setErrored(error), task.reject(error), task.exit(), error;
    }
    return _debugLog('return'), task.resolve([toUint16(result)]), task.${method}(), ${returned};
  };
  let lowered = _trampoline3.manuallyAsync
    ? new WebAssembly.Suspending(_trampoline3)
    : _lowerImportBackwardsCompat.bind(null, { componentIdx: 0, isAsync: ${isAsync}, funcTypeIsAsync: !1, importFn: _trampoline3 });
  return { lowered, log };
}`;

const TASK = Object.freeze({
  enterSync() {},
  componentIdx: () => -1,
  id: () => 0,
  setErrored() {},
  reject() {},
  resolve() {},
  exit() {},
});

interface Made {
  readonly lowered: (handle: number) => number;
  readonly log: readonly string[];
}

function make(source: string, host: object): Made {
  // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval -- what the transpiler does with real glue
  const instantiate = new Function(`'use strict'; return ${source}`)() as (host: object, values: object) => Made;
  return instantiate(host, { task: TASK });
}

const HOST = { mayLeave: true, status: (handle: number) => 65_736 + handle };

test('directCalls() has a call into the host answer the same without a task, and logs nothing', () => {
  const plain = make(glue(), HOST);
  assert.equal(plain.lowered(1), 201);
  assert.deepEqual(plain.log, ['lowered', 'logged', 'a task', 'logged', 'resolved 201']);
  const direct = make(directCalls(glue()), HOST);
  assert.equal(direct.lowered(1), 201);
  assert.deepEqual(direct.log, []);
});

test('directCalls() passes on what the host throws, and asks whether the guest may leave its instance', () => {
  const thrown = new Error('of the host');
  const failing = make(directCalls(glue()), {
    ...HOST,
    status() {
      throw thrown;
    },
  });
  assert.throws(() => failing.lowered(1), thrown);
  const kept = make(directCalls(glue()), { ...HOST, mayLeave: false });
  assert.throws(() => kept.lowered(1), /cannot leave 0/);
});

test('directCalls() leaves what it does not know as it is', () => {
  const others = {
    'a task that is asked for more': glue('toUint16(result)', 'other'),
    'an answer besides what the task was told': glue('result'),
    'an asynchronous import': glue('toUint16(result)', 'exit', '!0'),
  };
  for (const [what, source] of Object.entries(others)) {
    const made = make(directCalls(source), HOST);
    const isBody = what === 'an asynchronous import';
    assert.equal(made.lowered(1), what.startsWith('an answer') ? 65_737 : 201, what);
    assert.equal(made.log.includes('a task'), !isBody, what);
    assert.ok(made.log.includes('lowered'), what);
  }
});
