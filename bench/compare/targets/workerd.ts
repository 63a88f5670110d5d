/**
 * workerd as a peer, when it is installed: a server of its own, a new instance for each request. Its clock stands still
 * while a request is handled, so that its guests cannot stamp: only whole calls are measured.
 */

import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { functionPath } from '../../measurement/root.ts';
import { peerFile } from '../../subjects/peers.ts';
import { freePort, startServer, type Server } from '../../subjects/servers.ts';
import { sha256, type ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import type { CallResult, Deployed, Target } from '../target.ts';

const NOTHING = new Uint8Array();

/** Opens workerd as a server of its own. @throws Error when it is not installed or does not start */
export async function openWorkerd(name: TargetName, _plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  const binary = peerFile('@cloudflare', 'workerd-linux-64', 'bin', 'workerd');
  if (binary === undefined) throw new Error('run npm run bench:install');
  const folder = await mkdtemp(join(tmpdir(), 'nebula-workerd-'));
  const functions = [...new Set(cases.map((test) => test.function))];
  const deployed: Deployed[] = [];
  for (const functionName of functions) {
    const bytes = await readFile(functionPath(functionName));
    await copyFile(functionPath(functionName), join(folder, `${functionName}.wasm`));
    deployed.push({ function: functionName, digest: sha256(bytes), sizeBytes: bytes.length });
  }
  const port = await freePort();
  await writeFile(join(folder, 'worker.mjs'), workerOf(functions));
  await writeFile(join(folder, 'config.capnp'), configOf(functions, port));
  let server: Server;
  try {
    const url = `http://127.0.0.1:${port}`;
    server = await startServer('workerd', binary, ['serve', join(folder, 'config.capnp')], `${url}/ready`);
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  const close = async (): Promise<void> => {
    await pool.close();
    await server.close();
    await rm(folder, { recursive: true });
  };
  return { name, isCold: false, deployed, refuses: () => undefined, call: (test) => request(pool, test), close };
}

async function request(pool: Pool, test: ComparisonCase): Promise<CallResult> {
  const { statusCode, body } = await pool.request({ method: 'POST', path: `/${test.function}`, body: test.bytes });
  const stdout = new Uint8Array(await body.arrayBuffer());
  const result = { stdout, stderr: NOTHING };
  return statusCode === 200
    ? { outcome: 'ok', ...result }
    : { outcome: 'exit', reason: `HTTP ${statusCode}`, ...result };
}

const identifierOf = (functionName: string): string => `m_${functionName.replaceAll('-', '_')}`;

/** Just what a Rust program that reads stdin and writes stdout calls. */
const workerOf = (functions: readonly string[]): string => `
${functions.map((each) => `import ${identifierOf(each)} from './${each}.wasm';`).join('\n')}
const modules = { ${functions.map((each) => `'/${each}': ${identifierOf(each)}`).join(', ')} };
class Exit extends Error {}
function run(module, input) {
  let memory;
  let position = 0;
  let code = 0;
  const parts = [];
  const vectors = (view, iovs, count, each) => {
    let total = 0;
    for (let at = 0; at < count; at++) {
      total += each(new Uint8Array(memory.buffer, view.getUint32(iovs + at * 8, true), view.getUint32(iovs + at * 8 + 4, true)));
    }
    return total;
  };
  const zero = (first, second) => {
    const view = new DataView(memory.buffer);
    view.setUint32(first, 0, true);
    view.setUint32(second, 0, true);
    return 0;
  };
  const imports = { wasi_snapshot_preview1: {
    fd_read: (fd, iovs, count, result) => {
      const view = new DataView(memory.buffer);
      view.setUint32(result, vectors(view, iovs, count, (room) => {
        const taken = input.subarray(position, position + room.length);
        room.set(taken);
        position += taken.length;
        return taken.length;
      }), true);
      return 0;
    },
    fd_write: (fd, iovs, count, result) => {
      const view = new DataView(memory.buffer);
      view.setUint32(result, vectors(view, iovs, count, (bytes) => { parts.push(bytes.slice()); return bytes.length; }), true);
      return 0;
    },
    environ_get: () => 0, environ_sizes_get: zero, args_get: () => 0, args_sizes_get: zero, clock_time_get: () => 52,
    proc_exit: (given) => { code = given; throw new Exit(); },
  } };
  const instance = new WebAssembly.Instance(module, imports);
  memory = instance.exports.memory;
  try { instance.exports._start(); } catch (error) { if (!(error instanceof Exit)) throw error; }
  return new Response(new Blob(parts), { status: code === 0 ? 200 : 500 });
}
export default { async fetch(request) {
  const input = new Uint8Array(await request.arrayBuffer());
  const module = modules[new URL(request.url).pathname];
  return module === undefined ? new Response('') : run(module, input);
} };
`;

const configOf = (
  functions: readonly string[],
  port: number,
): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = (
    modules = [ (name = "worker.mjs", esModule = embed "worker.mjs"),
      ${functions.map((each) => `(name = "${each}.wasm", wasm = embed "${each}.wasm")`).join(',\n      ')} ],
    compatibilityDate = "2024-01-01",
  )) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
`;
