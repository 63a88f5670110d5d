/** `bench http`: requests per second at 32 connections, by wrk, of Nebula, of a bare node:http and of workerd. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atLeast, compareRates, type Bar, type Comparison } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { seededRandom, shuffled } from '../../statistics/random.ts';
import { nebulaServer, nodeServer, workerdServer, type Server } from '../subjects/servers.ts';
import { loadRow, wrk, type Load } from '../subjects/wrk.ts';
import type { RunOptions } from './options.ts';

/** Measures calls over HTTP beside bare servers. */
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
      rows: servers.map(({ name }) =>
        loadRow({ bench: 'http', subject: name, function: 'noop' }, loads.get(name) ?? []),
      ),
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
