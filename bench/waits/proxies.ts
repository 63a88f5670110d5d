/** Servers that ask an upstream over HTTP and pass on what it answers, each in its way. */

import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { root } from '../measurement/root.ts';
import { peerFile } from '../subjects/peers.ts';
import { freePort, startServer, type Server } from '../subjects/servers.ts';
import { dozeModule } from './doze.ts';

/** Milliseconds that the guests named so sleep. */
export const DOZES = { doze: 100, 'doze-half': 500, 'doze-long': 2000 } as const;

/** Milliseconds after which a call of the guest that spins is ended. */
export const SPIN_MS = 100;

/** Calls of one function at once, at the most. */
const CONCURRENCY = 2000;

/** What can be asked of a proxy. */
export interface Proxy extends Server {
  readonly origin: string;
  /** The path that has it ask an upstream that answers after so long. */
  readonly path: (upstreamMs: number) => string;
  /** Whether it is answered 200, this has nobody asked. */
  readonly idlePath: string;
}

/** A kind of proxy; `start` answers undefined where its program is not installed. */
export interface ProxyKind {
  readonly name: string;
  /** What would install it. */
  readonly needs?: string;
  start(upstream: string): Promise<Proxy | undefined>;
}

const pathOf = (name: string): string => join(import.meta.dirname, `${name}${extname(import.meta.filename)}`);

const plainPath = (upstreamMs: number): string => `/${upstreamMs}`;

/** Starts an upstream; it answers `/MS` after so many milliseconds. */
export async function startUpstream(): Promise<Server> {
  const port = await freePort();
  const args = [pathOf('upstream-process'), String(port)];
  return startServer('upstream', process.execPath, args, `http://127.0.0.1:${port}/0`);
}

interface Started {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly path: (upstreamMs: number) => string;
  readonly idlePath: string;
}

async function started({ name, command, args, port, path, idlePath }: Started): Promise<Proxy> {
  const origin = `http://127.0.0.1:${port}`;
  const server = await startServer(name, command, args, origin + path(0));
  return { ...server, origin, path, idlePath };
}

/** node:http and undici, and nothing between. */
export const bareProxy: ProxyKind = {
  name: 'bare-proxy',
  start: async (upstream) => {
    const port = await freePort();
    const args = [pathOf('bare-proxy-process'), String(port), upstream];
    return started({ name: 'bare-proxy', command: process.execPath, args, port, path: plainPath, idlePath: '/' });
  },
};

/** `nebula serve` with `functions/components/call-out`, and the guests that sleep and spin; `threads` as by default where left out. */
export function nebulaProxy(name: string, folder: string, threads?: number): ProxyKind {
  const start = async (upstream: string): Promise<Proxy> => {
    const port = await freePort();
    const functions = join(folder, name);
    await writeFunctions(functions, upstream);
    const cli = join(root, 'dist', 'lib', 'cli', 'main.js');
    const args = [cli, 'serve', '--port', String(port), '--functions', functions, '--limit', 'queueLength=4096'];
    if (threads !== undefined) args.push('--threads', String(threads));
    return started({
      name,
      command: process.execPath,
      args,
      port,
      path: askGuest('/fn/call-out', upstream),
      idlePath: '/fn/call-out/',
    });
  };
  return { name, start };
}

/** What has the component ask: the URL behind the question mark. */
function askGuest(prefix: string, upstream: string): (upstreamMs: number) => string {
  return (upstreamMs) => `${prefix}/?${upstream}/${upstreamMs}`;
}

async function writeFunctions(folder: string, upstream: string): Promise<void> {
  const limits = { concurrency: CONCURRENCY };
  const http = { origins: [upstream], private: true };
  const functions = join(root, 'functions');
  const manifests: readonly Readonly<Record<string, unknown> & { name: string }>[] = [
    {
      name: 'call-out',
      module: join(functions, 'components', 'call-out', 'call-out.wasm'),
      limits,
      capabilities: { http },
    },
    {
      name: 'spin',
      module: join(functions, 'guests', 'forever', 'forever.wasm'),
      limits: { timeoutMs: SPIN_MS },
      budget: true,
    },
    ...Object.keys(DOZES).map((name) => ({ name, limits })),
  ];
  for (const manifest of manifests) {
    await mkdir(join(folder, manifest.name), { recursive: true });
    await writeFile(join(folder, manifest.name, 'nebula.json'), JSON.stringify(manifest));
  }
  for (const [name, sleepMs] of Object.entries(DOZES))
    await writeFile(join(folder, name, `${name}.wasm`), await dozeModule(sleepMs));
}

/** `jco serve` with the same component. */
export const jcoProxy: ProxyKind = {
  name: 'jco-serve',
  needs: 'run `npm run bench:install`',
  start: async (upstream) => {
    const cli = peerFile('@bytecodealliance', 'jco', 'dist', 'jco.js');
    if (cli === undefined) return undefined;
    const port = await freePort();
    const component = join(root, 'functions', 'components', 'call-out', 'call-out.wasm');
    const args = [cli, 'serve', component, '--host', '127.0.0.1', '--port', String(port)];
    return started({
      name: 'jco-serve',
      command: process.execPath,
      args,
      port,
      path: askGuest('', upstream),
      idlePath: '/',
    });
  },
};

/** workerd with a worker that answers what its `fetch` does. */
export function workerdProxy(folder: string): ProxyKind {
  const start = async (upstream: string): Promise<Proxy | undefined> => {
    const binary = peerFile('@cloudflare', 'workerd-linux-64', 'bin', 'workerd');
    if (binary === undefined) return undefined;
    const port = await freePort();
    await writeFile(join(folder, 'proxy.mjs'), workerOf(upstream));
    const config = join(folder, 'proxy.capnp');
    await writeFile(config, configOf(port));
    return started({ name: 'workerd', command: binary, args: ['serve', config], port, path: plainPath, idlePath: '/' });
  };
  return { name: 'workerd', needs: 'run `npm run bench:install`', start };
}

const workerOf = (upstream: string): string => `export default { fetch(request) {
  const { pathname } = new URL(request.url);
  return pathname === '/' ? new Response('') : fetch('${upstream}' + pathname);
} };
`;

const configOf = (port: number): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [ (name = "proxy.mjs", esModule = embed "proxy.mjs") ],
      compatibilityDate = "2024-01-01",
      globalOutbound = "upstream",
    )),
    (name = "upstream", network = (allow = ["private"])),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
`;
