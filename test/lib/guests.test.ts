/** The library on real guests, once on worker threads and once in this thread. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Nebula } from '../../lib/api/nebula.ts';
import type { NebulaOptions } from '../../lib/schema/nebula-options.ts';
import { createNebula } from '../../lib/nebula.ts';
import { temporaryDirectory } from './tiny-module.ts';

// Compiled to dist/test/lib.
const root = join(import.meta.dirname, '..', '..', '..');
const executors: readonly NebulaOptions[] = [{ executor: 'worker', threads: 2 }, { executor: 'in-thread' }];

async function open(context: TestContext, options: NebulaOptions): Promise<Nebula> {
  const nebula = await createNebula(options);
  context.after(() => nebula.close());
  return nebula;
}

function guest(path: string): string {
  return join(root, 'functions', path);
}

for (const options of executors) {
  const where = `on the ${options.executor} executor`;

  test(`invoke() answers ${where}, and tells every ending`, async (context) => {
    const nebula = await open(context, options);
    await nebula.deploy(guest('fibonacci'));
    for (const name of ['exit-3', 'trap-unreachable', 'env-dump']) await nebula.deploy(guest(`guests/${name}`));
    assert.equal(new TextDecoder().decode(await nebula.invokeOrThrow('fibonacci', '30')).trimEnd(), '832040');
    const exited = await nebula.invoke('exit-3');
    assert.equal(exited.kind === 'exit' && exited.exitCode, 3);
    const trapped = await nebula.invoke('trap-unreachable');
    assert.equal(trapped.kind === 'trap' && trapped.reason, 'unreachable');
    const call = { arguments: ['x y'], environment: { GREETING: 'grüezi', PATH_INFO: '/\udcff' } };
    const dump = new TextDecoder().decode(await nebula.invokeOrThrow('env-dump', '', call));
    assert.match(dump, /"x y"/);
    assert.match(dump, /variable "GREETING" "grüezi"/);
    assert.match(dump, /variable "PATH_INFO" "\/\\xFF"/, 'a byte that is no UTF-8');
    const [fibonacci] = nebula.stats().functions;
    assert.equal(fibonacci?.outcomes.ok, 1);
    assert.ok((fibonacci?.latency['run']?.p50Us ?? 0) > 0);
  });

  test(`deploy() under load ${where} fails no call, and each answer is of one version`, async (context) => {
    const nebula = await open(context, options);
    const answers = new Set<string>();
    const module = guest('guests/env-dump/env-dump.wasm');
    const deploy = (version: string): Promise<unknown> =>
      nebula.deploy(module, { name: 'f', capabilities: { environment: { VERSION: version } } });
    await deploy('1');
    const load = { isOn: true };
    const call = async (): Promise<void> => {
      while (load.isOn) {
        const outcome = await nebula.invoke('f');
        assert.equal(outcome.kind, 'ok');
        answers.add(/VERSION" "(\d)"/.exec(new TextDecoder().decode(outcome.stdout))?.[1] ?? 'none');
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const callers = [call(), call(), call()];
    for (const version of ['2', '3', '4']) await deploy(version);
    await nebula.rollback('f');
    load.isOn = false;
    await Promise.all(callers);
    assert.ok(!answers.has('none'));
    assert.ok(answers.has('1'));
    assert.match(new TextDecoder().decode(await nebula.invokeOrThrow('f')), /VERSION" "3"/);
    await nebula.undeploy('f');
    await assert.rejects(nebula.invoke('f'), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  });

  test(`createNebula() ${where} brings a reactor back from its store`, async (context) => {
    const store = temporaryDirectory(context);
    const first = await createNebula({ ...options, store });
    await first.deploy(guest('lookup'));
    const before = await first.invokeOrThrow('lookup', '7');
    assert.ok(before.length > 0);
    await first.close();
    const second = await open(context, { ...options, store });
    assert.deepEqual(await second.invokeOrThrow('lookup', '7'), before);
  });

  test(`close() ${where} leaves nothing that keeps a process alive, prints nothing, and adds no listener`, async () => {
    const program = `
      import { createNebula } from ${JSON.stringify(pathToFileURL(join(root, 'dist', 'lib', 'index.js')).href)};
      const before = JSON.stringify(process.eventNames());
      const nebula = await createNebula(${JSON.stringify(options)});
      await nebula.deploy(${JSON.stringify(guest('fibonacci'))});
      await nebula.invokeOrThrow('fibonacci', '10');
      if (JSON.stringify(process.eventNames()) !== before) throw new Error('a listener was added');
      await nebula.close();
    `;
    const child = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      timeout: 20_000,
    });
    assert.deepEqual(await child, { stdout: '', stderr: '' });
  });
}
