/** `bench http`: requests per second at 32 connections, by wrk, of Nebula, of a bare node:http and of workerd. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atLeast, compareRates, type Bar, type Comparison } from '../comparison.ts';
import type { Findings } from '../result.ts';
import type { Row } from '../series.ts';
import { seededRandom, shuffled } from '../statistics.ts';
import { nebulaServer, nodeServer, workerdServer, type Server } from '../subjects/servers.ts';
import type { RunOptions } from './options.ts';

const CONNECTIONS = 32;
const SECONDS = 2;

/** What one run of wrk told. */
interface Load {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
}

export async function runHttp(options: RunOptions): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'nebula-bench-'));
  const servers: Server[] = [];
  try {
    const script = join(folder, 'post.lua');
    await writeFile(script, 'wrk.method = "POST"\n');
    servers.push(await nebulaServer(), await nodeServer());
    const workerd = await workerdServer(folder);
    if (workerd !== undefined) servers.push(workerd);
    const missing = workerd === undefined ? ['workerd: run `npm run bench:install`'] : [];
    const loads = await measureLoads(servers, script, options);
    return {
      rows: servers.map(({ name }) => rowOf(name, loads.get(name) ?? [])),
      comparisons: compareAll(loads),
      series: [],
      missing,
    };
  } finally {
    for (const server of servers) await server.close();
    await rm(folder, { recursive: true });
  }
}

async function measureLoads(
  servers: readonly Server[],
  script: string,
  options: RunOptions,
): Promise<Map<string, Load[]>> {
  const random = seededRandom(options.seed);
  const loads = new Map(servers.map(({ name }) => [name, [] as Load[]]));
  const blocks = Math.max(4, Math.ceil(options.blocks / 3));
  for (const { url } of servers) await wrk(url, script);
  for (let block = 0; block < blocks; block++) {
    for (const { name, url } of shuffled(servers, random)) loads.get(name)?.push(await wrk(url, script));
  }
  return loads;
}

async function wrk(url: string, script: string): Promise<Load> {
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '--latency', '-s', script, url];
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

function rowOf(subject: string, loads: readonly Load[]): Row {
  const mean = (pick: (load: Load) => number): number =>
    loads.reduce((sum, load) => sum + pick(load), 0) / loads.length;
  const perSecond = mean((load) => load.perSecond);
  return {
    bench: 'http',
    subject,
    function: 'noop',
    n: Math.round(perSecond * SECONDS * loads.length),
    p50Us: mean((load) => load.p50Us),
    p90Us: mean((load) => load.p90Us),
    p99Us: mean((load) => load.p99Us),
    perSecond,
  };
}

function compareAll(loads: ReadonlyMap<string, readonly Load[]>): Comparison[] {
  const rates = (name: string): number[] => (loads.get(name) ?? []).map(({ perSecond }) => perSecond);
  const bars: readonly (readonly [string, Bar])[] = [
    ['node-http', atLeast(0.6)],
    ['workerd', atLeast(2)],
  ];
  return bars
    .filter(([against]) => loads.has(against))
    .map(([against, bar]) => {
      const names = { bench: 'http', function: 'noop', subject: 'nebula', against, metric: 'perSecond' };
      return compareRates(names, rates('nebula'), rates(against), bar);
    });
}
