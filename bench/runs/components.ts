/**
 * `bench components`: what a fresh state of a component costs, a whole call in the pool beside a core function's, and requests
 * per second at 32 connections beside `jco serve` with the same component and a bare node:http. Its answers tell whether the state was fresh: the small guest counts its calls.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { atLeast, atMost, compareLatency, compareRates, type Bar, type Comparison } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { root } from '../measurement/root.ts';
import { measure, rowOf, type Row, type Series } from '../measurement/series.ts';
import { seededRandom, shuffled } from '../../statistics/random.ts';
import { componentSubjects } from '../subjects/component.ts';
import { readyCallSubjects } from '../subjects/ready-call.ts';
import { jcoServer, nebulaComponentServer, nodeServer, type Server } from '../subjects/servers.ts';
import { loadRow, wrk, type Load } from '../subjects/wrk.ts';
import type { RunOptions } from './options.ts';

const BENCH = 'components';
/** The smallest guest of wasi:http, and a JavaScript one made by componentize-js. */
const GUESTS = [
  { name: 'hello', ask: '/', perBlock: 60 },
  { name: 'web', ask: '/hello', perBlock: 12 },
] as const;
/** More than any run asks for. */
const REUSE = 1_000_000;

type Guest = (typeof GUESTS)[number];

function pathOf({ name }: Guest): string {
  return join(root, 'functions', 'components', name, `${name}.wasm`);
}

/** Measures components in a fresh state, and over HTTP beside jco serve. */
export async function runComponents(options: RunOptions): Promise<Findings> {
  const series: Series[] = [];
  const comparisons: Comparison[] = [];
  for (const guest of GUESTS) {
    const measured = await measureStates(guest, options);
    series.push(...measured);
    comparisons.push(...compareStates(measured));
  }
  const ready = await measureReadyCalls(options);
  series.push(...ready);
  const [component, core] = ready as [Series, Series];
  comparisons.push(compareLatency(component, core, 0.5, atMost(8)));
  const loads = await measureServers(options);
  return {
    rows: [...series.map(rowOf), ...loads.rows],
    comparisons: [...comparisons, ...loads.comparisons],
    series,
    missing: loads.missing,
  };
}

async function measureStates(guest: Guest, options: RunOptions): Promise<Series[]> {
  const component = await componentSubjects(await readFile(pathOf(guest)), guest.ask);
  const { name, perBlock } = guest;
  const plan = { bench: BENCH, function: name, blocks: options.blocks, perBlock, warmUp: 400, seed: options.seed };
  const series = await measure(component.subjects, plan);
  await component.close();
  return series;
}

/** A component's whole call beside a core function's, in the pool. */
async function measureReadyCalls({ blocks, seed }: RunOptions): Promise<Series[]> {
  const [guest] = GUESTS;
  const calls = await readyCallSubjects(await readFile(pathOf(guest)));
  const plan = { bench: BENCH, function: guest.name, blocks, perBlock: 30, warmUp: 0, seed };
  const series = await measure(calls.subjects, plan);
  await calls.close();
  return series;
}

function compareStates(series: readonly Series[]): Comparison[] {
  const named = (wanted: string): Series => series.find(({ subject }) => subject === wanted) as Series;
  return [
    compareLatency(named('ready'), named('instantiation'), 0.5, atMost(0.1)),
    compareLatency(named('renewal'), named('instantiation'), 0.5),
    compareLatency(named('call-ready'), named('call-new'), 0.5),
  ];
}

interface Contender {
  readonly guest: Guest;
  readonly server: Server;
}

async function measureServers(
  options: RunOptions,
): Promise<{ readonly rows: Row[]; readonly comparisons: Comparison[]; readonly missing: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'nebula-bench-'));
  const contenders: Contender[] = [];
  const missing: string[] = [];
  try {
    for (const guest of GUESTS) contenders.push(...(await startServers(guest, folder, missing)));
    const loads = await measureLoads(contenders, options);
    const rows = contenders.map(({ guest, server }) =>
      loadRow({ bench: BENCH, subject: server.name, function: guest.name }, loads.get(server) ?? []),
    );
    return { rows, comparisons: compareServers(contenders, loads), missing };
  } finally {
    for (const { server } of contenders) await server.close();
    await rm(folder, { recursive: true });
  }
}

async function startServers(guest: Guest, folder: string, missing: string[]): Promise<Contender[]> {
  const given = { path: pathOf(guest), ask: guest.ask };
  const servers = [
    await nebulaComponentServer(join(folder, guest.name), { ...given, name: 'nebula' }),
    await jcoServer({ ...given, name: 'jco-serve-isolated', isIsolated: true }),
  ];
  // A guest of componentize-js that listens for fetch events cannot be asked twice, by whomever.
  if (guest.name === 'hello') {
    servers.push(
      await nebulaComponentServer(join(folder, guest.name), { ...given, name: 'nebula-reuse', reuse: REUSE }),
      await jcoServer({ ...given, name: 'jco-serve', isIsolated: false }),
      await nodeServer(),
    );
  }
  if (servers.includes(undefined)) missing.push(`jco serve (${guest.name}): run \`npm run bench:install\``);
  const started = servers.filter((server) => server !== undefined);
  if (guest.name === 'hello') for (const server of started) await checkState(server);
  return started.map((server) => ({ guest, server }));
}

/** Whether a server's states are as fresh as its name says. */
async function checkState({ name, url }: Server): Promise<void> {
  // It has no state, and answers something else.
  if (name === 'node-http') return;
  const answers: string[] = [];
  for (let round = 0; round < 3; round++) answers.push(await (await request(url)).body.text());
  const isFresh = new Set(answers).size === 1 && answers[0] === 'hello, call 1\n';
  const expected = name === 'nebula' || name === 'jco-serve-isolated';
  if (isFresh !== expected) throw new Error(`Cannot measure ${name}: it answered ${JSON.stringify(answers)}`);
}

async function measureLoads(
  contenders: readonly Contender[],
  options: RunOptions,
): Promise<ReadonlyMap<Server, Load[]>> {
  const random = seededRandom(options.seed);
  const loads = new Map(contenders.map(({ server }) => [server, [] as Load[]]));
  const blocks = Math.max(4, Math.ceil(options.blocks / 4));
  for (const { server } of contenders) await wrk(server.url);
  for (let block = 0; block < blocks; block++) {
    for (const { server } of shuffled(contenders, random)) loads.get(server)?.push(await wrk(server.url));
  }
  return loads;
}

/** Bars of the small guest: a third of what node:http does that answers the same to all, twice as many with a fresh state as theirs without one, and as many where both keep it. */
const BARS: readonly (readonly [guest: Guest['name'], subject: string, against: string, bar?: Bar])[] = [
  ['hello', 'nebula', 'node-http', atLeast(0.35)],
  ['hello', 'nebula', 'jco-serve', atLeast(2)],
  ['hello', 'nebula-reuse', 'jco-serve', atLeast(1)],
  ['hello', 'nebula', 'jco-serve-isolated'],
  ['web', 'nebula', 'jco-serve-isolated'],
];

function compareServers(contenders: readonly Contender[], loads: ReadonlyMap<Server, Load[]>): Comparison[] {
  const rates = (guest: string, name: string): number[] => {
    const found = contenders.find((each) => each.guest.name === guest && each.server.name === name);
    return (found === undefined ? [] : (loads.get(found.server) ?? [])).map(({ perSecond }) => perSecond);
  };
  return BARS.filter(([guest, , against]) => rates(guest, against).length > 0).map(([guest, subject, against, bar]) =>
    compareRates(
      { bench: BENCH, function: guest, subject, against, metric: 'perSecond' },
      rates(guest, subject),
      rates(guest, against),
      bar,
    ),
  );
}
