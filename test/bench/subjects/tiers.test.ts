import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MicroVm } from '../../../host/micro-vm/micro-vm.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { closeImage } from '../../../host/snapshot/image.ts';
import { functionPath } from '../../../bench/measurement/root.ts';
import { define, imageOf, runOnce, type Part } from '../../../bench/subjects/micro-vm.ts';
import { asNew, exportedFunctions, withFunctionsExported } from '../../../bench/subjects/module-variants.ts';
import { countTiers } from '../../../bench/subjects/tiers.ts';

const PART: Part = {
  function: 'fibonacci',
  module: readFileSync(functionPath('fibonacci')),
  input: '10',
  expected: '55\n',
  entry: '_start',
  init: {},
  memoryBytes: 2 ** 27,
};
const INPUT = new TextEncoder().encode(PART.input);

test('withFunctionsExported() exports each function that the module defines', async () => {
  const layout = readLayout(PART.module);
  const module = await WebAssembly.compile(withFunctionsExported(PART.module));
  assert.equal(exportedFunctions(module).length, layout.functionTypes.length - layout.importedFunctions);
});

test('asNew() gives a module whose code no other module brought along, and countTiers() sees it being compiled', async () => {
  const module = withFunctionsExported(PART.module);
  for (let round = 0; round < 2; round++) {
    const definition = await define(PART, asNew(module));
    const image = imageOf(definition);
    const vm = new MicroVm(definition, image, 'copy');
    const functions = exportedFunctions(definition.prepared.compiled);
    assert.deepEqual(countTiers(vm.state, functions), { uncompiled: functions.length, liftoff: 0, turbofan: 0 });
    runOnce(vm, INPUT, PART.expected);
    const after = countTiers(vm.state, functions);
    assert.ok(after.liftoff > 0 && after.uncompiled > 0, JSON.stringify(after));
    assert.equal(after.uncompiled + after.liftoff + after.turbofan, functions.length);
    vm.close();
    closeImage(image);
  }
});

test('runOnce() refuses an answer that is not the expected one', async () => {
  const definition = await define(PART);
  const image = imageOf(definition);
  const vm = new MicroVm(definition, image, 'copy');
  assert.throws(() => runOnce(vm, INPUT, '56\n'), /expected "ok 56\\n", got "ok 55\\n"/);
  vm.close();
  closeImage(image);
});
