/** `nebula serve`: the server until a signal ends it. Prints one line once it answers; what goes wrong later is logged to stderr. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { basename, join, resolve } from 'node:path';
import { pino, type Logger } from 'pino';
import { isComponent } from '../../host/component/binary.ts';
import { argumentError, messageOf, NebulaError } from '../../host/errors.ts';
import type { Nebula } from '../api.ts';
import { startServer } from '../http/server.ts';
import { createNebula } from '../nebula.ts';
import { loadSource, MANIFEST_NAME } from '../registry/source.ts';
import { digestOf } from '../registry/store.ts';
import { writeAll } from './streams.ts';
import { watchFiles } from './watch.ts';

const DEFAULT_PORT = 7070;

export interface ServeOptions {
  readonly port?: number;
  readonly host: string;
  readonly token?: string;
  readonly allowHost?: readonly string[];
  readonly store?: string;
  readonly functions?: readonly string[];
  readonly watch?: boolean;
  readonly threads?: number;
  readonly audit?: boolean;
  readonly json?: boolean;
}

/** Serves until SIGTERM or SIGINT, then lets calls in flight finish; a second signal does not wait. */
export async function serve(options: ServeOptions): Promise<void> {
  const { host, token, store, threads, audit } = options;
  const port = options.port ?? portFromEnvironment();
  if (options.watch === true && options.functions === undefined) {
    throw argumentError('watch', 'used with --functions', true);
  }
  const logger = pino({ level: options.watch === true ? 'info' : 'warn' }, pino.destination(2));
  const nebula = await createNebula({
    ...(store === undefined ? {} : { store }),
    ...(threads === undefined ? {} : { threads }),
    ...(audit === undefined ? {} : { audit }),
  });
  const stops: (() => void)[] = [];
  try {
    if (options.functions !== undefined) stops.push(...(await deployFolders(nebula, options, logger)));
    for (const { name, error } of nebula.stats().unavailable ?? [])
      logger.error({ err: error }, `"${name}" is unavailable`);
    const server = await startServer(nebula, {
      host,
      port,
      logger,
      hosts: options.allowHost ?? [],
      ...(token === undefined ? {} : { token }),
    });
    const signal = nextSignal();
    await announce(nebula, server.url, options.json === true);
    await signal;
    await server.close();
  } finally {
    for (const stop of stops) stop();
    await nebula.close();
  }
}

function portFromEnvironment(): number {
  const text = process.env['PORT'];
  if (text === undefined || text === '') return DEFAULT_PORT;
  if (!/^\d+$/.test(text) || Number(text) > 65_535) throw argumentError('PORT', 'an integer from 0 to 65535', text);
  return Number(text);
}

function nextSignal(): Promise<void> {
  return new Promise((done) => {
    const stop = (): void => {
      // Without listeners a second signal ends the process at once.
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, stop);
      done();
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  });
}

/** The one line on stdout: a command that works. */
async function announce(nebula: Nebula, url: string, json: boolean): Promise<void> {
  // What is bound to every address answers on this one too.
  const reachable = url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  const names = nebula.list().map(({ name }) => name);
  const name = names.includes('fibonacci') ? 'fibonacci' : names[0];
  const data = name === 'fibonacci' ? '30' : "''";
  const command = name === undefined ? `curl ${reachable}/healthz` : `curl --data ${data} ${reachable}/invoke/${name}`;
  await writeAll(process.stdout, `${json ? JSON.stringify({ url, functions: names, command }) : command}\n`);
}

/** Deploys every function in the folders; one that is refused does not keep the others out, unless it is all of them. */
async function deployFolders(nebula: Nebula, options: ServeOptions, logger: Logger): Promise<(() => void)[]> {
  const roots = (options.functions ?? []).map((folder) => resolve(folder));
  const folders = (await Promise.all(roots.map(findFunctions))).flat();
  const stops: (() => void)[] = [];
  const failures: unknown[] = [];
  const deploy = async (folder: string): Promise<void> => {
    try {
      await deployChanged(nebula, folder);
    } catch (error) {
      failures.push(error);
      logger.error({ err: error, folder }, 'Cannot deploy');
    }
  };
  // A component is transpiled for seconds in a thread of its own: meanwhile the others are deployed.
  const underway: Promise<void>[] = [];
  for (const folder of folders) {
    if (await holdsComponent(folder)) underway.push(deploy(folder));
    else await deploy(folder);
    if (options.watch === true) stops.push(await watchFunction(nebula, folder, logger));
  }
  await Promise.all(underway);
  const isNothingLeft = failures.length > 0 && failures.length === folders.length;
  if (isNothingLeft && options.watch !== true) throw failures[0];
  return stops;
}

async function holdsComponent(folder: string): Promise<boolean> {
  try {
    return isComponent((await loadSource(folder)).module);
  } catch {
    return false;
  }
}

async function findFunctions(root: string): Promise<readonly string[]> {
  try {
    const names = await readdir(root);
    return names
      .sort()
      .map((name) => join(root, name))
      .filter((folder) => existsSync(join(folder, MANIFEST_NAME)));
  } catch (cause) {
    throw new NebulaError('FILE_UNREADABLE', { path: root, detail: messageOf(cause) }, { cause });
  }
}

/** Deploys a folder's function, unless what a store brought back is the same. */
async function deployChanged(nebula: Nebula, folder: string): Promise<void> {
  const { module, manifest } = await loadSource(folder);
  const current = nebula.list().find(({ name }) => name === manifest.name);
  if (current?.digest === digestOf(module) && isDeepStrictEqual(current.manifest, manifest)) return;
  await nebula.deploy(folder);
}

async function watchFunction(nebula: Nebula, folder: string, logger: Logger): Promise<() => void> {
  // A folder that cannot be read yet is watched for its manifest, and for the module that its name suggests.
  const paths = await loadSource(folder).then(
    (loaded) => loaded.paths,
    () => [join(folder, MANIFEST_NAME), join(folder, `${basename(folder)}.wasm`)],
  );
  const redeploy = (): void => {
    deployChanged(nebula, folder).then(
      () => logger.info({ folder }, 'Deployed anew'),
      (error: unknown) => logger.error({ err: error, folder }, 'Cannot deploy; the version before still runs'),
    );
  };
  return watchFiles(paths, redeploy, (error) => logger.error({ err: error, folder }, 'Cannot watch'));
}
