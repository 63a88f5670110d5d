import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import Docker from 'dockerode';
import { createNebula } from '../../lib/nebula.ts';
import { startServer } from '../../lib/triggers/http/server.ts';
import { NebulaClient } from '../../lib/client/client.ts';
import { nativePath, skipWithoutNative } from '../functions/native.ts';
import { holdings, ownedBy, skipWithoutDocker, SOCKET } from '../pools/container/docker.ts';
import { nebula as runNebula } from './cli/command.ts';

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const program = (name: string): Uint8Array => readFileSync(nativePath(name));
const invalid = (message: RegExp): object => ({ code: 'ERR_NEBULA_MANIFEST_INVALID', message });

test('deploy() refuses what the runtime does not have, and a runtime that was not named', async () => {
  await using nebula = await createNebula({ executor: 'in-thread' });
  const bytes = new Uint8Array(8);
  const name = 'f';
  await assert.rejects(nebula.deploy(bytes, { name, runtime: 'process' }), invalid(/"runtime" must be one of wasm, /));
  const refused = [
    [{ container: {} }, /"container" must be left out: the runtime is "wasm"/],
    [
      {
        runtime: 'container',
        capabilities: { mounts: [{ guest: '/d', machine: '/d', access: 'read-only', devices: ['null'] }] },
      },
      /"capabilities.mounts.0.devices" must be left out/,
    ],
    [{ runtime: 'container', strategy: 'cow' }, /"strategy" must be left out/],
    [{ runtime: 'container', reuse: 5 }, /"reuse" must be left out/],
    [{ runtime: 'process', reuse: 5 }, /"reuse" must be left out/],
    [{ runtime: 'container', allow: { missingImports: 'trap' } }, /"allow" must be left out/],
    [{ runtime: 'container', capabilities: { random: { kind: 'secure' } } }, /"capabilities.random" must be left out/],
    [{ runtime: 'container', capabilities: { http: { origins: [] } } }, /"capabilities.http" must be left out/],
    [{ runtime: 'container', capabilities: { sockets: {} } }, /"capabilities.sockets" must be left out/],
    [
      {
        runtime: 'container',
        capabilities: { mounts: [{ guest: 'data', machine: '/srv', access: 'read-only' }] },
      },
      /"capabilities.mounts.0.guest" must be an absolute path in a container, got "data"/,
    ],
    [{ runtime: 'container', container: { base: 'a\nRUN b' } }, /"container.base" must be the reference of an image/],
    [{ runtime: 'container', container: { network: 'all' } }, /"container.network" must be one of "none"/],
  ] as const;
  for (const [options, message] of refused) {
    await assert.rejects(nebula.deploy(bytes, { name, ...options } as never), invalid(message));
  }
});

test('createNebula() runs a program as a process where that was allowed', { skip: skipWithoutNative() }, async () => {
  await using nebula = await createNebula({ executor: 'in-thread', runtimes: ['wasm', 'process'] });
  const record = await nebula.deploy(program('fibonacci'), {
    name: 'fibonacci',
    runtime: 'process',
    process: { mode: 'warm' },
  });
  assert.equal(record.report.strategy, 'warm');
  assert.equal(textOf(await nebula.invokeOrThrow('fibonacci', '30')), '832040\n');
  assert.equal(nebula.stats().executor.units, 2);
  await nebula.undeploy('fibonacci');
});

describe('a manifest with runtime: container', { skip: await skipWithoutDocker() }, () => {
  const docker = new Docker({ socketPath: SOCKET });

  it('is deployed, stored, invoked, rolled back and removed as any function', async () => {
    const store = mkdtempSync(join(tmpdir(), 'nebula-store-'));
    const options = { executor: 'in-thread', dockerSocket: SOCKET, store } as const;
    try {
      const first = await createNebula(options);
      await first.deploy(program('fibonacci'), { name: 'f', runtime: 'container' });
      await first.deploy(program('factorial'), { name: 'f', runtime: 'container', container: { mode: 'warm' } });
      assert.equal(textOf(await first.invokeOrThrow('f', '5')), '120\n');
      await first.close();
      assert.deepEqual((await holdings(docker, ownedBy(process.pid))).images, []);

      await using second = await createNebula(options);
      assert.equal(textOf(await second.invokeOrThrow('f', '5')), '120\n');
      await second.rollback('f');
      assert.equal(textOf(await second.invokeOrThrow('f', '5')), '5\n');
      const latency = second.stats().functions[0]?.latency ?? {};
      for (const phase of ['create', 'attach', 'start', 'run']) assert.ok(latency[phase], phase);
      await second.undeploy('f');
    } finally {
      rmSync(store, { recursive: true });
    }
  });

  it('is deployed and invoked over HTTP, which tells its phases', async () => {
    await using nebula = await createNebula({ executor: 'in-thread', dockerSocket: SOCKET });
    const server = await startServer(nebula, { port: 0 });
    const client = new NebulaClient({ url: server.url });
    try {
      await client.deploy('f', program('fibonacci'), { runtime: 'container' });
      const outcome = await client.invoke('f', '30');
      assert.equal(textOf(outcome.stdout), '832040\n');
      assert.ok((outcome.phases.create ?? 0) > 0 && (outcome.phases.start ?? 0) > 0);
    } finally {
      await client.close();
      await server.close();
    }
  });

  it('is invoked from the command line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nebula-container-'));
    const manifest = { name: 'f', runtime: 'container', module: nativePath('fibonacci') };
    writeFileSync(join(folder, 'nebula.json'), JSON.stringify(manifest));
    const { stdout, code } = await runNebula(['invoke', folder], { input: '30' });
    assert.deepEqual([stdout, code], ['832040\n', 0]);
    rmSync(folder, { recursive: true });
  });
});
