/**
 * `bench http`: requests by wrk to Nebula, to a bare node:http and to workerd: per second with 32 connections, how long each
 * takes with one, and what a server that nobody asks anything of takes of a core.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atLeast, atMost, compareRates, type Bar, type Comparison } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import type { Row } from '../measurement/series.ts';
import { seededRandom, shuffled } from '../../statistics/random.ts';
import { cpuShares } from '../subjects/cpu-time.ts';
import { nebulaServer, nodeServer, workerdServer, type Server } from '../subjects/servers.ts';
import { CONNECTIONS, loadRow, wrk, type Load } from '../subjects/wrk.ts';
import type { RunOptions } from './options.ts';

const BENCH = 'http';
const FUNCTION = 'noop';
/** Seconds for which an idle server is looked at. */
const IDLE_WINDOWS = 5;

/** What a subject came to, by its name. */
type Loads = ReadonlyMap<string, Load[]>;

/** Measures calls over HTTP beside bare servers. */
export async function runHttp(options: RunOptions): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'nebula-bench-'));
  const servers: Server[] = [];
  try {
    const script = join(folder, 'post.lua');
    await writeFile(script, 'wrk.method = "POST"\n');
    const nebula = await nebulaServer();
    servers.push(nebula, await nodeServer());
    const workerd = await workerdServer(folder);
    if (workerd !== undefined) servers.push(workerd);
    const missing = workerd === undefined ? ['workerd: run `npm run bench:install`'] : [];
    const [many, lone] = await measureLoads(servers, script, options);
    const idle = await cpuShares(nebula.pid, IDLE_WINDOWS);
    if (idle.length === 0) missing.push('CPU of an idle server: it takes Linux');
    return {
      rows: [...rowsOf(servers, many), ...rowsOf(servers, lone, 1), ...idleRows(idle)],
      comparisons: [...compareMany(many), ...compareLone(lone), ...compareIdle(idle)],
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
): Promise<[many: Loads, lone: Loads]> {
  const random = seededRandom(options.seed);
  const empty = (): Map<string, Load[]> => new Map(servers.map(({ name }) => [name, []]));
  const [many, lone] = [empty(), empty()];
  const blocks = Math.max(4, Math.ceil(options.blocks / 3));
  for (const { url } of servers) await wrk(url, script);
  for (let block = 0; block < blocks; block++) {
    for (const [loads, connections] of [[many, CONNECTIONS] as const, [lone, 1] as const]) {
      for (const { name, url } of shuffled(servers, random)) loads.get(name)?.push(await wrk(url, script, connections));
    }
  }
  return [many, lone];
}

function rowsOf(servers: readonly Server[], loads: Loads, connections?: number): Row[] {
  const further = connections === undefined ? {} : { connections };
  return servers.map(({ name }) =>
    loadRow({ bench: BENCH, subject: name, function: FUNCTION, ...further }, loads.get(name) ?? []),
  );
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function idleRows(shares: readonly number[]): Row[] {
  if (shares.length === 0) return [];
  return [{ bench: BENCH, subject: 'nebula', function: 'idle', idleCpuShare: mean(shares) }];
}

/** Rates with many connections. */
function compareMany(loads: Loads): Comparison[] {
  const bars: readonly (readonly [string, Bar])[] = [
    ['node-http', atLeast(0.85)],
    ['workerd', atLeast(2)],
  ];
  return compareAll(loads, bars, 'perSecond');
}

/** Medians with one connection, of which there is one for each block. */
function compareLone(loads: Loads): Comparison[] {
  return compareAll(loads, [['node-http', atMost(2)], ['workerd']], 'p50Us');
}

function compareAll(
  loads: Loads,
  bars: readonly (readonly [against: string, bar?: Bar])[],
  metric: 'perSecond' | 'p50Us',
): Comparison[] {
  const values = (name: string): number[] => (loads.get(name) ?? []).map((load) => load[metric]);
  return bars
    .filter(([against]) => loads.has(against))
    .map(([against, bar]) => {
      const names = { bench: BENCH, function: FUNCTION, subject: 'nebula', against, metric };
      return compareRates(names, values('nebula'), values(against), bar);
    });
}

/** The share of a core that an idle server takes, beside that core. */
function compareIdle(shares: readonly number[]): Comparison[] {
  if (shares.length === 0) return [];
  const names = { bench: BENCH, subject: 'nebula', against: 'a core', metric: 'idleCpuShare' };
  const whole = shares.map(() => 1);
  return [compareRates(names, shares, whole, atMost(0.01))];
}
