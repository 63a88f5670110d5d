import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Docker from 'dockerode';
import type { Outcome } from '../../../host/outcome.ts';
import { createContainerExecutor, type ContainerExecutorOptions } from '../../../pools/container/executor.ts';
import type { ContainerDefinition } from '../../../pools/container/definition.ts';
import type { Executor } from '../../../pools/executor.ts';
import { call, endingOf, nativeSuite, textOf } from '../native/native-suite.ts';
import { define, eventually, holdings, ownedBy, skipWithoutDocker, SOCKET, type ContainerOverrides } from './docker.ts';

const MIB = 1024 * 1024;
const skip = await skipWithoutDocker();
const open = (options: ContainerExecutorOptions = {}): Executor<ContainerDefinition> =>
  createContainerExecutor({ socketPath: SOCKET, ...options });

/** Names in /proc/net/dev. */
function interfacesOf(table: string): string[] {
  return [...table.matchAll(/^ *([^\s:]+):/gm)].map(([, name]) => name as string).sort();
}

nativeSuite('createContainerExecutor()', { skip, open, define, killBoundMs: 3000 });

describe('createContainerExecutor(), the container', { skip }, () => {
  const docker = new Docker({ socketPath: SOCKET });
  let executor: Executor<ContainerDefinition>;
  before(() => {
    executor = open({ awaitRemoval: true, inspectEnd: true });
  });
  after(() => executor.close(0));

  async function once(name: string, input: string, overrides?: ContainerOverrides): Promise<Outcome> {
    const definition = define(name, overrides);
    await executor.deploy(definition);
    try {
      return await executor.invoke(definition, call(input));
    } finally {
      await executor.undeploy(definition.id);
    }
  }

  const readFile = async (path: string, overrides?: ContainerOverrides): Promise<string> =>
    textOf((await once('read-file', path, overrides)).stdout);

  it('invoke() tells every phase, and what of them the engine took', async () => {
    const { phases, usage } = await once('noop', '');
    const { create = 0, attach = 0, start = 0, remove = 0, run, collect, queue } = phases;
    for (const [name, ns] of Object.entries({ create, attach, start, remove, run, collect, queue })) {
      assert.ok(ns > 0, `${name} took ${ns} ns`);
    }
    const engine = usage.engine?.requestNs ?? {};
    const pairs = [
      [engine.create, create],
      [engine.attach, attach],
      [engine.start, start],
      [engine.wait, run],
      [engine.remove, remove],
    ] as const;
    for (const [spent = 0, phase] of pairs) assert.ok(spent > 0 && spent <= phase, `${spent} of ${phase} ns`);
    const slept = await once('sleep', '0.2');
    const guestNs = slept.usage.engine?.guestNs ?? 0;
    assert.ok(
      guestNs > 0.1e9 && guestNs < slept.phases.run + (slept.phases.start ?? 0),
      `the guest took ${guestNs} ns`,
    );
  });

  it('invoke() kills a guest that takes more memory than its limit', async () => {
    const limits = { memoryBytes: 16 * MIB };
    const cold = await once('grow-forever', '', { limits });
    assert.deepEqual(endingOf(cold), { kind: 'limit', limit: 'memoryBytes', allowed: 16 * MIB });
    const warm = await once('grow-forever', '', { limits, mode: 'warm' });
    assert.deepEqual(endingOf(warm), { kind: 'limit', limit: 'memoryBytes', allowed: 16 * MIB });
  });

  it('invoke() lets a guest have as many processes as its limit', async () => {
    // The program itself is one of them.
    const within = await once('spawn-threads', '7', { pids: 8 });
    assert.equal(textOf(within.stdout), '7 threads\n');
    const beyond = await once('spawn-threads', '8', { pids: 8 });
    assert.deepEqual(endingOf(beyond), { kind: 'exit', exitCode: 1 });
    assert.match(textOf(beyond.stderr), /^Cannot start thread 8: /);
  });

  it('invoke() gives a guest no network, unless granted', async () => {
    assert.deepEqual(interfacesOf(await readFile('/proc/net/dev')), ['lo']);
    assert.deepEqual(interfacesOf(await readFile('/proc/net/dev', { network: 'bridge' })), ['eth0', 'lo']);
    // Containers of other tests come and go, and their interfaces with them: only those that stayed must be seen.
    const ofMachine = (): string[] => interfacesOf(readFileSync('/proc/net/dev', 'utf8'));
    const before = ofMachine();
    const seen = interfacesOf(await readFile('/proc/net/dev', { network: 'host' }));
    const stayed = ofMachine().filter((name) => before.includes(name));
    assert.ok(stayed.includes('docker0'), stayed.join());
    for (const name of stayed) assert.ok(seen.includes(name), `${name} is not in ${seen.join()}`);
  });

  it('invoke() gives a guest a read-only root, no capability, no new privilege and no root user', async () => {
    const written = await once('write-file', '/new\ncontents');
    assert.equal(written.kind, 'exit');
    assert.match(textOf(written.stderr), /Read-only file system/);
    const status = await readFile('/proc/self/status');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      assert.match(status, new RegExp(`^${set}:\\s+0+$`, 'm'));
    }
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Uid:\s+65534\s+65534/m);
  });

  it('invoke() bounds open files and cores', async () => {
    const limits = await readFile('/proc/self/limits', { limits: { openFiles: 17 } });
    assert.match(limits, /^Max open files\s+17\s+17/m);
    const cgroup = await readFile('/sys/fs/cgroup/cpu/cpu.cfs_quota_us', { cpus: 0.5 });
    const unified = await readFile('/sys/fs/cgroup/cpu.max', { cpus: 0.5 });
    assert.match(cgroup + unified, /^50000/);
  });

  it('invoke() mounts directories of the machine as they were granted', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nebula-mount-'));
    chmodSync(directory, 0o777);
    writeFileSync(join(directory, 'file'), 'from the machine');
    try {
      const mount = { guest: '/data', machine: directory };
      const readOnly = { mounts: [{ ...mount, access: 'read-only' as const }] };
      assert.equal(await readFile('/data/file', readOnly), 'from the machine');
      assert.match(textOf((await once('write-file', '/data/new\nx', readOnly)).stderr), /Read-only file system/);
      const written = await once('write-file', '/data/new\nx', { mounts: [{ ...mount, access: 'read-write' }] });
      assert.equal(textOf(written.stdout), 'wrote 1 bytes\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('deploy() takes an image that the engine has, and one that is built upon another', async () => {
    const first = define('echo');
    await executor.deploy(first);
    const { images } = await holdings(docker, ownedBy(process.pid));
    assert.equal(images.length, 1);
    const image = images[0] as string;
    const outcome = await once('of-an-image', 'through the image', { source: { image } });
    assert.equal(textOf(outcome.stdout), 'through the image');
    assert.deepEqual((await holdings(docker, ownedBy(process.pid))).images, images, 'an image given is not removed');
    const tag = 'nebula-test-base:latest';
    await docker.getImage(image).tag({ repo: 'nebula-test-base', tag: 'latest' });
    try {
      const { source } = define('crc32') as { source: { binary: Uint8Array } };
      const built = await once('of-a-base', '123456789', { source: { ...source, base: tag } });
      assert.equal(textOf(built.stdout), 'cbf43926\n');
    } finally {
      await docker.getImage(tag).remove();
    }
    await executor.undeploy(first.id);
    assert.deepEqual((await holdings(docker, ownedBy(process.pid))).images, []);
  });

  it('deploy() refuses an image or a base that the engine does not have', async () => {
    const image = 'nebula-test-missing:latest';
    await assert.rejects(executor.deploy(define('echo', { source: { image } })), { code: 'ERR_NEBULA_IMAGE_MISSING' });
    const { source } = define('echo') as { source: { binary: Uint8Array } };
    const base = 'localhost:1/nebula-test-missing';
    await assert.rejects(executor.deploy(define('echo', { source: { ...source, base } })), {
      code: 'ERR_NEBULA_IMAGE_BUILD',
    });
  });

  it('invoke() says that an image has been removed since', async () => {
    const definition = define('echo');
    await executor.deploy(definition);
    const { images } = await holdings(docker, ownedBy(process.pid));
    await docker.getImage(images[0] as string).remove({ force: true });
    await assert.rejects(executor.invoke(definition, call()), { code: 'ERR_NEBULA_IMAGE_MISSING' });
    await executor.undeploy(definition.id);
  });

  it('invoke() says what the engine refuses', async () => {
    const mounts = [{ guest: '/data', machine: '/nonexistent', access: 'read-only' as const }];
    await assert.rejects(once('echo', '', { mounts }), {
      code: 'ERR_NEBULA_CONTAINER_REFUSED',
      message: /Cannot create a container .*nonexistent/,
    });
  });

  it('invoke() tells a container that was killed from outside, and the next call has another', async () => {
    const definition = define('sleep', { mode: 'warm' });
    await executor.deploy(definition);
    assert.equal((await executor.invoke(definition, call('0'))).kind, 'ok');
    const lost = assert.rejects(executor.invoke(definition, call('30')), { code: 'ERR_NEBULA_CONTAINER_LOST' });
    const { containers } = await holdings(docker, ownedBy(process.pid));
    await Promise.all(containers.map((id) => docker.getContainer(id).kill()));
    await lost;
    assert.equal((await executor.invoke(definition, call('0'))).kind, 'ok');
    await executor.undeploy(definition.id);
  });

  it('a kept container that dies while idle is replaced ahead of the next call', async () => {
    const definition = define('echo', { mode: 'warm' });
    await executor.deploy(definition);
    await executor.invoke(definition, call());
    const before = (await holdings(docker, ownedBy(process.pid))).containers;
    await Promise.all(before.map((id) => docker.getContainer(id).kill()));
    await eventually('another container stands by', async () => {
      const { containers } = await holdings(docker, ownedBy(process.pid));
      return executor.stats().units === 1 && containers.length === 1 && !before.includes(containers[0] as string);
    });
    assert.equal(textOf((await executor.invoke(definition, call('x'))).stdout), 'x');
    assert.ok(executor.stats().unitsReplaced > 0);
    await executor.undeploy(definition.id);
  });

  it('close() leaves no container, image or network', async () => {
    const other = open();
    const cold = define('forever', { network: 'bridge' });
    await other.deploy(cold);
    await other.deploy(define('echo', { mode: 'warm' }));
    const outcome = other.invoke(cold, call());
    await eventually('all of it is there', async () => {
      const { containers, images, networks } = await holdings(docker, ownedBy(process.pid));
      return containers.length >= 2 && images.length >= 2 && networks.length >= 1;
    });
    await other.close(0);
    assert.equal((await outcome).kind, 'aborted');
    await executor.close(0);
    const left = await holdings(docker, ownedBy(process.pid));
    assert.deepEqual(left, { containers: [], images: [], networks: [] });
  });
});
