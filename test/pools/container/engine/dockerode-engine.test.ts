import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import Docker from 'dockerode';
import { engineErrorOf } from '../../../../pools/container/engine/dockerode-engine.ts';
import { connectionError } from '../../../../pools/container/engine/engine-error.ts';
import { createContainerExecutor } from '../../../../pools/container/executor.ts';
import { call, textOf } from '../../native/native-suite.ts';
import { skipWithoutNative } from '../../../functions/native.ts';
import { requirePart } from '../../../require.ts';
import { define, holdings, ownedBy, skipWithoutDocker, SOCKET } from '../docker.ts';
import { OwnEngine } from '../own-engine.ts';

const skip = await skipWithoutDocker();
const hasDockerd = spawnSync('dockerd', ['--version']).status === 0 && process.getuid?.() === 0;
const skipEngine = requirePart('docker', hasDockerd, 'dockerd is not installed, or this user is not root') || skip;

it('deploy() says that no engine listens, and finds one that has started since', {
  skip: skipWithoutNative(),
}, async () => {
  const executor = createContainerExecutor({ socketPath: '/nonexistent/docker.sock' });
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(executor.deploy(define('echo')), {
      code: 'ERR_NEBULA_DOCKER_UNAVAILABLE',
      retryable: true,
      message: /\/nonexistent\/docker\.sock.*ENOENT/,
    });
  }
  await executor.close(0);
});

it('deploy() says that what listens is no engine', { skip: skipWithoutNative() }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nebula-socket-'));
  const socketPath = join(directory, 'socket');
  const server = createServer((socket) => socket.end('no engine\r\n\r\n')).listen(socketPath);
  await once(server, 'listening');
  const executor = createContainerExecutor({ socketPath });
  await assert.rejects(executor.deploy(define('echo')), { code: 'ERR_NEBULA_DOCKER_UNAVAILABLE' });
  await executor.close(0);
  server.close();
  rmSync(directory, { recursive: true });
});

it('connectionError() tells a socket that may not be opened from one that is not there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nebula-socket-'));
  chmodSync(directory, 0o755);
  const socketPath = join(directory, 'socket');
  const server = createServer().listen(socketPath);
  await once(server, 'listening');
  chmodSync(socketPath, 0o600);
  // Root may open everything: a child of another user asks.
  const script = `require('node:net').connect(${JSON.stringify(socketPath)}).on('error', (e) => console.log(e.code))`;
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  if (process.getuid?.() !== 0) chmodSync(socketPath, 0);
  const child = spawn(process.execPath, ['-e', script], { ...user, cwd: '/' });
  let code = '';
  child.stdout.on('data', (chunk: Buffer) => (code += chunk.toString()));
  await once(child, 'close');
  server.close();
  rmSync(directory, { recursive: true });
  const refused = Object.assign(new Error('connect'), { code: code.trim() });
  const error = connectionError(engineErrorOf(refused), socketPath);
  assert.equal(error.code, 'ERR_NEBULA_DOCKER_FORBIDDEN');
});

const NOBODY = { uid: 65_534, gid: 65_534 };
const denied = join(import.meta.dirname, '..', 'deploy-image.js');

/** False for root in a clone that another user can read, over a socket that is closed to that one. */
function skipDenied(): string | false {
  if (process.getuid?.() !== 0) return 'only root can become another user';
  const open = `require('node:fs').accessSync(${JSON.stringify(denied)})`;
  const readable = spawnSync(process.execPath, ['-e', open], { ...NOBODY, cwd: '/' }).status === 0;
  return readable ? skip : 'another user cannot read this clone';
}

it('deploy() says that this user may not open the socket', { skip: skipDenied() }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, [denied, SOCKET], { ...NOBODY, cwd: '/', encoding: 'utf8' });
  assert.equal(stdout, 'ERR_NEBULA_DOCKER_FORBIDDEN', stderr);
});

it('deploy() removes what a killed process left behind, and nothing of one that runs', { skip }, async () => {
  const docker = new Docker({ socketPath: SOCKET });
  const other = createContainerExecutor({ socketPath: SOCKET });
  const kept = define('echo', { mode: 'warm' });
  await other.deploy(kept);
  const script = join(import.meta.dirname, '..', 'leave-behind.js');
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const owner = ownedBy(child.pid as number);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const left = await holdings(docker, owner);
  assert.deepEqual([left.containers.length, left.images.length, left.networks.length], [1, 1, 1]);

  const executor = createContainerExecutor({ socketPath: SOCKET });
  await executor.deploy(define('echo'));
  assert.deepEqual(await holdings(docker, owner), { containers: [], images: [], networks: [] });
  assert.equal(textOf((await other.invoke(kept, call('still here'))).stdout), 'still here');
  await executor.close(0);
  await other.close(0);
});

it('invoke() says that the engine went away, in the middle of a call and before one', {
  skip: skipEngine,
}, async () => {
  const engine = new OwnEngine();
  try {
    await engine.start();
    const executor = createContainerExecutor({ socketPath: engine.socket });
    const cold = define('sleep');
    const warm = define('sleep', { mode: 'warm' });
    await executor.deploy(cold);
    await executor.deploy(warm);
    const lost = { code: 'ERR_NEBULA_CONTAINER_LOST', retryable: true };
    const calls = [cold, warm].map((each) => assert.rejects(executor.invoke(each, call('30')), lost));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await engine.kill();
    await Promise.all(calls);
    const unavailable = { code: 'ERR_NEBULA_DOCKER_UNAVAILABLE' };
    await assert.rejects(executor.invoke(cold, call('0')), unavailable);
    await assert.rejects(executor.invoke(warm, call('0')), unavailable);
    await engine.start();
    assert.equal((await executor.invoke(cold, call('0'))).kind, 'ok');
    assert.equal((await executor.invoke(warm, call('0'))).kind, 'ok');
    await executor.close(0);
    assert.deepEqual(await holdings(engine.docker, () => true), { containers: [], images: [], networks: [] });
  } finally {
    await engine.dispose();
  }
});
