/** Load from wrk: connections that ask as fast as they are answered. */

import { spawn, type ChildProcess } from 'node:child_process';
import type { Row } from '../measurement/series.ts';

/** Connections at once, unless it is said otherwise. */
export const CONNECTIONS = 32;
const SECONDS = 2;

/** What one run of wrk told. */
export interface Load {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
}

/**
 * One run against a server; `script` says what is asked where that is no plain GET.
 * @throws Error when wrk is missing or an answer is no success
 */
export async function wrk(url: string, script?: string, connections: number = CONNECTIONS): Promise<Load> {
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${SECONDS}s`,
    '--latency',
    ...(script === undefined ? [] : ['-s', script]),
    url,
  ];
  const output = await outputOf(spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(output);
  if (failed !== null) throw new Error(`Cannot measure ${url}: ${failed[1]} requests failed`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
    p50Us: latencyOf(output, '50%'),
    p90Us: latencyOf(output, '90%'),
    p99Us: latencyOf(output, '99%'),
  };
}

const UNITS_US: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };

function latencyOf(output: string, share: string): number {
  const match = new RegExp(`${share}\\s+([\\d.]+)(us|ms|s)`).exec(output);
  return Number(match?.[1]) * (UNITS_US[match?.[2] ?? ''] ?? Number.NaN);
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error('Cannot run wrk: install it (Debian: wrk)', { cause })));
    child.once('close', () => resolve());
  });
  return output;
}

/** The means of a subject's runs. */
export function loadRow(
  names: Pick<Row, 'bench' | 'subject' | 'function' | 'connections'>,
  loads: readonly Load[],
): Row {
  const mean = (pick: (load: Load) => number): number =>
    loads.reduce((sum, load) => sum + pick(load), 0) / loads.length;
  const perSecond = mean((load) => load.perSecond);
  return {
    ...names,
    n: Math.round(perSecond * SECONDS * loads.length),
    p50Us: mean((load) => load.p50Us),
    p90Us: mean((load) => load.p90Us),
    p99Us: mean((load) => load.p99Us),
    perSecond,
  };
}
