import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { transpileComponent } from '../../../host/preparation/component.ts';
import { createNebula } from '../../../lib/index.ts';
import { writePrepared } from '../../../lib/registry/prepared-folder.ts';
import { digestOf } from '../../../lib/registry/digest.ts';
import { assemble } from '../../host/component/prepare/names/name-templates.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nebula-tampered-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const canary = join(scratch, 'canary');

const WRITE = `globalThis.process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(canary)},'ran')`;

/** Ways to the file: by what is not there (which the check lets pass), at the top, in `instantiate`, by what the glue is given, and by what it makes itself. */
const TAMPERINGS: readonly ((glue: string) => string)[] = [
  () => `(function(){${WRITE};return () => ({})})`,
  (glue) =>
    glue.replace('let $instantiate=', `[].constructor.constructor(${JSON.stringify(WRITE)})();let $instantiate=`),
  (glue) =>
    glue.replace('$values=$given[3];', `$values=$given[3];[].constructor.constructor(${JSON.stringify(WRITE)})();`),
  (glue) => glue.replace('){', `){Object.constructor(${JSON.stringify(WRITE)})();`),
  () => `(function(){return (core) => {core.constructor(${JSON.stringify(WRITE)})();return {}}})`,
  () =>
    `(function(){return (core, imports) => {let k='constr'+'uctor';imports[k][k](${JSON.stringify(WRITE)})();return {}}})`,
  (glue) => `${glue}, ${WRITE}`,
  () =>
    `(function(){import('node:fs').then((fs) => fs.writeFileSync(${JSON.stringify(canary)},'ran'));return () => ({})})`,
];

/** Changes the glue in a prepared component's folder, and the digests with it. */
function tamper(folder: string, change: (glue: string) => string): void {
  const [record, file] = [join(folder, 'prepared.json'), join(folder, 'component.js')];
  const before = readFileSync(file, 'utf8');
  const glue = change(before);
  // Without the texts: telling two of them apart letter by letter takes minutes.
  assert.ok(glue !== before, `${String(change)} changes nothing`);
  const prepared = JSON.parse(readFileSync(record, 'utf8')) as { files: Record<string, string> };
  prepared.files['component.js'] = digestOf(glue);
  writeFileSync(file, glue);
  writeFileSync(record, JSON.stringify(prepared));
}

test('deploy() refuses a prepared folder whose glue was changed together with its digest, and runs nothing of it', async () => {
  const bytes = await assemble('export', 'f', 'g');
  const transpiled = await transpileComponent(bytes);
  for (const executor of ['worker', 'in-thread'] as const) {
    await using nebula = await createNebula({ executor });
    for (const [at, change] of TAMPERINGS.entries()) {
      const folder = join(scratch, `prepared-${executor}-${at}`);
      await writePrepared(folder, transpiled);
      writeFileSync(join(folder, 'component.wasm'), bytes);
      writeFileSync(join(folder, 'nebula.json'), JSON.stringify({ name: 'same', module: 'component.wasm' }));
      await nebula.deploy(folder, { name: 'same' });
      assert.equal(await nebula.fn('same').call('f'), 3);
      tamper(folder, change);
      await assert.rejects(
        nebula.deploy(folder, { name: 'changed' }),
        { code: at === 0 ? 'ERR_NEBULA_INIT_FAILED' : 'ERR_NEBULA_GLUE_REFUSED' },
        String(at),
      );
      assert.ok(!existsSync(canary), String(at));
    }
  }
});

/** Glue that passes for jco's, and would go on behind the deadline of its call or end the process. */
const LATECOMERS: readonly (readonly [glue: string, code: string | undefined])[] = [
  ['(function(){return () => ({f(){Promise.reject(1);return 3}})})', undefined],
  ['(function(){return () => ({f(){Promise.resolve().then(() => {for(;;);});return 3}})})', undefined],
  ['(function(){return () => ({f(){const e=new Error("");e.message={toString(){for(;;);}};throw e}})})', 'WORKER_LOST'],
  ['(function(){return () => {for(;;);}})', 'INIT_FAILED'],
  ['(function(){for(;;);})', 'INIT_FAILED'],
  ['(function(){return () => ({f(){(async () => {throw 1})();return 3}})})', 'GLUE_REFUSED'],
  [
    '(function(){return () => ({f(){const e=new Error("");Object.defineProperty(e,$slot("message"),{get(){for(;;);}});throw e}})})',
    'GLUE_REFUSED',
  ],
];

test('deploy() and call() of a prepared folder end by their deadline, whatever its glue leaves for later', async () => {
  const bytes = await assemble('export', 'f', 'g');
  const transpiled = await transpileComponent(bytes);
  for (const executor of ['worker', 'in-thread'] as const) {
    await using nebula = await createNebula({ executor, threads: 1, limits: { timeoutMs: 500 } });
    for (const [at, [glue, code]] of LATECOMERS.entries()) {
      const folder = join(scratch, `late-${executor}-${at}`);
      await writePrepared(folder, transpiled);
      writeFileSync(join(folder, 'component.wasm'), bytes);
      writeFileSync(join(folder, 'nebula.json'), JSON.stringify({ name: 'late', module: 'component.wasm' }));
      tamper(folder, () => glue);
      const called = nebula.deploy(folder, { name: 'late' }).then(() => nebula.fn('late').call('f'));
      if (code === undefined) assert.equal(await called, 3, glue);
      else await assert.rejects(called, { code: `ERR_NEBULA_${code}` }, glue);
    }
  }
});

test('createNebula() runs nothing of glue that was changed in its store', async () => {
  const bytes = await assemble('export', 'f', 'g');
  for (const [at, change] of TAMPERINGS.slice(0, 2).entries()) {
    const store = join(scratch, `store-${at}`);
    {
      await using nebula = await createNebula({ store, threads: 1 });
      await nebula.deploy(bytes, { name: 'kept' });
    }
    const [digest = ''] = readdirSync(join(store, 'components'));
    tamper(join(store, 'components', digest), change);
    await using nebula = await createNebula({ store, threads: 1 });
    await assert.rejects(Promise.resolve().then(() => nebula.fn('kept').call('f')));
    assert.ok(!existsSync(canary), String(at));
  }
});

test('deploy() runs no name of a core module, and the function works', async () => {
  const name = `'+[].constructor.constructor(${JSON.stringify(WRITE)})()+'`;
  const quoted = `"${[...Buffer.from(name)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}"`;
  const bytes = new Uint8Array(
    await parse(`(component
      (core module $m (memory (export "memory") 1) (func (export ${quoted}) (result i32) (i32.const 3)))
      (core instance $i (instantiate $m)) (func (export "f") (result u32) (canon lift (core func $i ${quoted}))))`),
  );
  for (const executor of ['worker', 'in-thread'] as const) {
    await using nebula = await createNebula({ executor });
    await nebula.deploy(bytes, { name: 'named' });
    assert.equal(await nebula.fn('named').call('f'), 3);
    assert.ok(!existsSync(canary));
  }
});

test('transpileComponent() goes on after a component on which the transpiler trapped', async () => {
  const trapping = await assemble('imported function', 'a:b/c@1.0.0', 'g');
  for (let round = 0; round < 2; round++) {
    await assert.rejects(transpileComponent(trapping), { code: 'ERR_NEBULA_MODULE_INVALID' });
    assert.ok((await transpileComponent(await assemble('export', `f${round}`, 'g'))).glue.length > 0);
  }
});
