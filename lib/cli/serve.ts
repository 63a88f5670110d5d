/** `nebula serve`: the server until a signal ends it. Prints one line once it answers; what happens is logged to stderr. */

import { argumentError } from '../../host/errors.ts';
import type { Limits } from '../../host/limits.ts';
import type { Nebula } from '../api/nebula.ts';
import { startServer } from '../triggers/http/server.ts';
import { createNebula } from '../nebula.ts';
import { FunctionFolders } from './function-folders.ts';
import { LOG_KINDS, type LogKind } from './options.ts';
import { portOf } from './port.ts';
import { ServeLog } from './serve-log.ts';
import { writeAll } from './streams.ts';

/** Options of `serve`. */
export interface ServeOptions {
  readonly port?: number;
  readonly host: string;
  readonly token?: string;
  readonly allowHost?: readonly string[];
  readonly store?: string;
  readonly functions?: readonly string[];
  readonly watch?: boolean;
  readonly threads?: number;
  readonly mostThreads?: number;
  readonly audit?: boolean;
  /** What is logged besides what goes wrong inside; default: all of it. */
  readonly log?: readonly LogKind[];
  /** Limits for functions whose manifest names none; its `moduleBytes` is that of every deploy over HTTP. */
  readonly limit?: Partial<Limits>;
  readonly json?: boolean;
}

/** Serves until SIGTERM or SIGINT, then lets calls in flight finish; a second signal does not wait. */
export async function serve(options: ServeOptions): Promise<void> {
  const { host, token, store, threads, mostThreads, audit, limit = {} } = options;
  const port = portOf(options.port);
  if (options.watch === true && options.functions === undefined) {
    throw argumentError('watch', 'used with --functions', true);
  }
  const log = new ServeLog(options.log ?? LOG_KINDS);
  const { logger, onAccess } = log;
  const nebula = await createNebula({
    onLog: log.onLog,
    ...(store === undefined ? {} : { store }),
    ...(threads === undefined ? {} : { threads }),
    ...(mostThreads === undefined ? {} : { mostThreads }),
    ...(audit === undefined ? {} : { audit }),
    limits: limit,
  });
  const folders = new FunctionFolders(nebula, logger, limit.moduleBytes);
  try {
    if (options.functions !== undefined) await folders.deploy(options.functions, options.watch === true);
    for (const { name, error } of nebula.stats().unavailable ?? [])
      logger.error({ err: error }, `"${name}" is unavailable`);
    const server = await startServer(nebula, {
      host,
      port,
      logger,
      ...(onAccess === undefined ? {} : { onAccess }),
      hosts: options.allowHost ?? [],
      ...(limit.moduleBytes === undefined ? {} : { moduleBytes: limit.moduleBytes }),
      ...(token === undefined ? {} : { token }),
    });
    const signal = nextSignal();
    log.started(server.url, nebula.list().length);
    await announce(nebula, server.url, options.json === true);
    await signal;
    log.ending();
    await server.close();
  } finally {
    folders.stop();
    await nebula.close();
    await log.ended();
  }
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
