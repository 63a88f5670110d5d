/** `nebula dev`: builds, deploys, serves and watches the functions in folders, and shows what they print, until a signal ends it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { UTF8_DECODER } from '../../host/bytes.ts';
import { createExecutor } from '../executor.ts';
import { createNebulaOn } from '../nebula.ts';
import type { Observer } from '../observe/observer.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import type { LogRecord } from '../schema/log-record.ts';
import { startServer } from '../triggers/http/server.ts';
import { printable, printableLines } from '../wire/printable.ts';
import { DevFunctions, type DevListener } from './dev-functions.ts';
import { portOf } from './port.ts';
import { untilSignal } from './signals.ts';

/** Options of `dev`. */
export interface DevOptions {
  readonly port?: number;
  readonly threads?: number;
  readonly json?: boolean;
}

/** How long the end may take: nothing here is worth waiting for. */
const END_MS = 500;

/** Works until a signal comes. What does not end at once then is left behind with the process. */
export async function dev(options: DevOptions, ...given: readonly string[]): Promise<void> {
  const ended = untilSignal();
  const show = options.json === true ? showJson : showText;
  const onLog = ({ event, name, message, level }: LogRecord): void => {
    // What a deploy came to is told with how long the build took.
    if (event !== 'deploy' && event !== 'remove') show({ event, name, message, level });
  };
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const nebula = await createNebulaOn(await createExecutor(threads), { ...threads, onLog }, [printed(show)]);
  const server = await startServer(nebula, { port: portOf(options.port), drainMs: 0 });
  show({ event: 'start', name: '', message: `Serving on ${server.url}; Ctrl-C ends it`, url: server.url });
  const functions = new DevFunctions(nebula, toListener(show, server.url), ended.signal);
  const folders = given.length === 0 ? ['.'] : given;
  const over = new Promise<void>((done) => ended.signal.addEventListener('abort', () => done()));
  try {
    const added = Promise.all(folders.map((folder) => functions.add(folder)));
    await Promise.race([added, over]);
    await over;
  } finally {
    const closed = Promise.allSettled([server.close(), nebula.close({ drainMs: 0 })]);
    await Promise.race([closed, sleep(END_MS)]);
  }
  // A guest that runs, or a deploy that is under way, would keep it.
  process.exit(0);
}

/** One line of what is shown. */
interface Shown {
  readonly event: string;
  /** The function's; empty where it is about none. */
  readonly name: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

type Show = (shown: Shown) => void;

function showJson(shown: Shown): void {
  process.stdout.write(`${JSON.stringify(shown)}\n`);
}

/** What a guest wrote stands behind a bar, so that it cannot pass for a line of this command's. */
function showText({ event, name, message }: Shown): void {
  const bar = event === 'stderr' || event === 'stdout' ? ' |' : ':';
  const lines = printableLines(message).trimEnd().split('\n');
  for (const line of lines) process.stdout.write(name === '' ? `${line}\n` : `${printable(name)}${bar} ${line}\n`);
}

function toListener(show: Show, url: string): DevListener {
  return {
    deployed(record: FunctionRecord, tookMs: number): void {
      const { name, version, component } = record;
      const path = component?.kind === 'http' ? `/fn/${name}/` : `/invoke/${name}`;
      const command = component?.kind === 'http' ? `curl ${url}${path}` : `curl --data '' ${url}${path}`;
      const message = `version ${version} is deployed after ${(tookMs / 1000).toFixed(1)} s: ${command}`;
      show({ event: 'deploy', name, message, version, url: `${url}${path}` });
    },
    failed: (name, message) => show({ event: 'build-failed', name, message }),
  };
}

/** Shows what a component that answers requests writes to stdout: of a command, that is its answer. */
function printed(show: Show): Observer {
  return {
    start: () => undefined,
    fail: () => undefined,
    end({ function: { name }, invocation }, { stdout }) {
      if (invocation.component === undefined || stdout.byteLength === 0) return;
      show({ event: 'stdout', name, message: UTF8_DECODER.decode(stdout) });
    },
  };
}
