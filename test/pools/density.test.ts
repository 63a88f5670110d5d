/** Two thousand deployed functions in one process, each called: a run of its own, for it takes a while. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { define, modulePath, renamed } from '../definition.ts';
import { input, openPool, stdoutOf } from './fixture.ts';

const FUNCTIONS = 2_000;

test('deploy() of 2,000 functions, each called, in one process', { timeout: 600_000 }, async (context) => {
  const pool = openPool(context, { threads: 2 });
  const template = await define('echo', modulePath('echo'));
  const definitions = Array.from({ length: FUNCTIONS }, (_, at) => ({ ...template, ...renamed(`echo-${at}`) }));
  const startedMs = performance.now();
  for (const definition of definitions) await pool.deploy(definition);
  const deployedMs = performance.now();
  for (const at of [0, 1]) {
    const waiting = definitions[Symbol.iterator]();
    const call = async (): Promise<void> => {
      for (const { name, ...rest } of waiting) {
        const text = `${name} ${at}`;
        assert.equal(stdoutOf(await pool.invoke({ name, ...rest }, input(text))), text);
      }
    };
    await Promise.all(Array.from({ length: 8 }, call));
  }
  const { memories, memoriesLimit, running, waiting } = pool.stats();
  assert.ok(memories > 0 && memories <= memoriesLimit);
  assert.deepEqual([running, waiting], [0, 0]);
  const perDeployMs = (deployedMs - startedMs) / FUNCTIONS;
  const perCallMs = (performance.now() - deployedMs) / FUNCTIONS / 2;
  context.diagnostic(`${perDeployMs.toFixed(2)} ms a deploy, ${perCallMs.toFixed(2)} ms a call, ${memories} memories`);
});
