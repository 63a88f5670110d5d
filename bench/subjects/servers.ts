/** Servers in processes of their own, each answering a POST in its way. */

import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { functionPath, root } from '../measurement/root.ts';
import { peerFile } from './peers.ts';

/** A server that was started for a measurement. */
export interface Server {
  readonly name: string;
  /** Where a POST is answered. */
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

/** Also on a busy machine, and where a component is transpiled first. */
const START_MS = 120_000;

/** A TCP port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a server and waits for its first answer. @throws Error when it ends or does not answer */
export async function startServer(
  name: string,
  command: string,
  args: readonly string[],
  url: string,
): Promise<Server> {
  // A group of its own: some start another process that serves.
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => child.once('close', resolve));
    process.kill(-(child.pid as number), 'SIGTERM');
    await closed;
  };
  try {
    await answering(name, child, url);
  } catch (error) {
    if (child.exitCode === null) await close();
    throw error;
  }
  return { name, url, pid: child.pid as number, close };
}

async function answering(name: string, child: ChildProcess, url: string): Promise<void> {
  const endMs = performance.now() + START_MS;
  while (performance.now() < endMs) {
    if (child.exitCode !== null) throw new Error(`Cannot start ${name}: it exited with ${child.exitCode}`);
    try {
      const { statusCode, body } = await request(url, { method: 'POST' });
      await body.dump();
      if (statusCode === 200) return;
    } catch {
      // Not listening yet.
    }
    await sleep(50);
  }
  throw new Error(`Cannot start ${name}: ${url} did not answer 200 within ${START_MS} ms`);
}

/** `nebula serve` with the functions of this repository and one thread for guests: on two cores the server needs the other. */
export async function nebulaServer(): Promise<Server> {
  const port = await freePort();
  const cli = join(root, 'dist', 'lib', 'cli', 'main.js');
  const args = [cli, 'serve', '--threads', '1', '--port', String(port), '--functions', join(root, 'functions')];
  return startServer('nebula', process.execPath, args, `http://127.0.0.1:${port}/invoke/noop`);
}

/** A component to be served, and what of it is asked for. */
export interface ComponentServerOptions {
  readonly name: string;
  /** The component's file. */
  readonly path: string;
  /** A path of the component's to ask for. */
  readonly ask: string;
}

/** `nebula serve` with one component and one thread for guests; with `reuse` one instance answers so many requests. */
export async function nebulaComponentServer(
  folder: string,
  { name, path, ask, reuse }: ComponentServerOptions & { readonly reuse?: number },
): Promise<Server> {
  const port = await freePort();
  const functions = join(folder, name);
  await mkdir(join(functions, 'guest'), { recursive: true });
  await copyFile(path, join(functions, 'guest', 'guest.wasm'));
  const manifest = { name: 'guest', module: 'guest.wasm', limits: { memoryBytes: 2 ** 28 }, reuse };
  await writeFile(join(functions, 'guest', 'nebula.json'), JSON.stringify(manifest));
  const cli = join(root, 'dist', 'lib', 'cli', 'main.js');
  const args = [cli, 'serve', '--threads', '1', '--port', String(port), '--functions', functions];
  return startServer(name, process.execPath, args, `http://127.0.0.1:${port}/fn/guest${ask}`);
}

/** `jco serve`, its requests each in an instance of their own or all in one; undefined when it is not installed. */
export async function jcoServer({
  name,
  path,
  ask,
  isIsolated,
}: ComponentServerOptions & { readonly isIsolated: boolean }): Promise<Server | undefined> {
  const cli = peerFile('@bytecodealliance', 'jco', 'dist', 'jco.js');
  if (cli === undefined) return undefined;
  const port = await freePort();
  const args = [cli, 'serve', path, '--host', '127.0.0.1', '--port', String(port)];
  if (isIsolated) args.push('--isolate-requests', 'instance');
  return startServer(name, process.execPath, args, `http://127.0.0.1:${port}${ask}`);
}

/** The least that node:http can do: a constant answer. */
export async function nodeServer(): Promise<Server> {
  const port = await freePort();
  const source = `require('node:http').createServer((q, s) => { s.end('hello world'); }).listen(${port}, '127.0.0.1')`;
  return startServer('node-http', process.execPath, ['-e', source], `http://127.0.0.1:${port}/`);
}

/** workerd with the same module and a new instance for each request; undefined when the peers are not installed. */
export async function workerdServer(folder: string): Promise<Server | undefined> {
  const binary = peerFile('@cloudflare', 'workerd-linux-64', 'bin', 'workerd');
  if (binary === undefined) return undefined;
  const port = await freePort();
  await copyFile(functionPath('noop'), join(folder, 'noop.wasm'));
  await writeFile(join(folder, 'worker.mjs'), WORKER);
  await writeFile(join(folder, 'config.capnp'), configOf(port));
  return startServer('workerd', binary, ['serve', join(folder, 'config.capnp')], `http://127.0.0.1:${port}/`);
}

const WORKER = `import module from './noop.wasm';
export default { async fetch(request) {
  await request.arrayBuffer();
  let memory;
  const zero = (first, second) => { const view = new DataView(memory.buffer); view.setUint32(first, 0, true); view.setUint32(second, 0, true); return 0; };
  const imports = { wasi_snapshot_preview1: {
    fd_read: (fd, iovs, count, result) => { new DataView(memory.buffer).setUint32(result, 0, true); return 0; },
    fd_write: () => 0, environ_get: () => 0, environ_sizes_get: zero, args_get: () => 0, args_sizes_get: zero,
    clock_time_get: () => 52,
    proc_exit: (code) => { throw new Error('exit ' + code); },
  } };
  const instance = new WebAssembly.Instance(module, imports);
  memory = instance.exports.memory;
  instance.exports._start();
  return new Response('');
} };
`;

const configOf = (port: number): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = (
    modules = [ (name = "worker.mjs", esModule = embed "worker.mjs"), (name = "noop.wasm", wasm = embed "noop.wasm") ],
    compatibilityDate = "2024-01-01",
  )) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
`;
