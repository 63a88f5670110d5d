/** One step of a sweep: a server, a rate, and what came of it. */

import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import { Pool } from 'undici';
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { monotonicS } from '../../hardware/meter/power-source.ts';
import { sendAtRate, type ArrivalResult, type Send } from './arrivals.ts';

/** What can be put under load. */
export const LOAD_TARGETS = ['wasm-restored', 'container-warm', 'container-cold'] as const;

/** One of `LOAD_TARGETS`. */
export type LoadTarget = (typeof LOAD_TARGETS)[number];

/** A server under load. */
export interface LoadServer {
  readonly send: Send;
  close(): Promise<void>;
}

const CONNECTIONS = 256;

/** @throws Error when the server cannot be started */
export async function openServer(
  target: LoadTarget,
  name: string,
  input: Uint8Array,
  expected: string,
): Promise<LoadServer> {
  const path = join(import.meta.dirname, `server-process${extname(import.meta.filename)}`);
  const child = fork(path, [target, name], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Out of reach of a Ctrl-C, after which the step under way is finished. It ends with this process's end of the channel.
    detached: true,
  });
  const url = await readyUrl(target, child);
  const pool = new Pool(url, { connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 });
  const send = async (): Promise<string | undefined> => {
    const { statusCode, body } = await pool.request({ method: 'POST', path: `/invoke/${name}`, body: input });
    const answer = await body.text();
    if (statusCode !== 200) return `HTTP ${statusCode}`;
    return answer === expected ? undefined : 'another answer than expected';
  };
  const close = async (): Promise<void> => {
    await pool.destroy();
    const closed = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    await closed;
  };
  return { send, close };
}

function readyUrl(target: LoadTarget, child: ChildProcess): Promise<string> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)));
  return new Promise((resolve, reject) => {
    child.once('message', (url) => resolve(url as string));
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`Cannot start a server of ${target}: it exited with ${code}: ${complaint}`)),
    );
  });
}

/** What is kept of a step. Times in microseconds, from the intended start. */
export interface LoadStep {
  readonly target: LoadTarget;
  readonly ratePerSecond: number;
  readonly arrivals: number;
  readonly answered: number;
  readonly answeredPerSecond: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  readonly meanUs: number;
  /** How late the generator itself sent, of 99 in 100 requests. */
  readonly lagP99Us: number;
  readonly sustained: boolean;
  /** When it began and had its last answer, on the host's monotonic clock in s. */
  readonly startS: number;
  readonly endS: number;
  /** All latencies: an HDR histogram, compressed, in base64. */
  readonly histogram: string;
}

/** One rate for some seconds, and when it counts as sustained. */
export interface StepOptions {
  readonly target: LoadTarget;
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** The median and the p99 above which a rate is not sustained. */
  readonly p50LimitUs: number;
  readonly p99LimitUs: number;
}

const FEWEST_ARRIVALS = 10;
const OUTSTANDING_MAX = 5000;
const DRAIN_MS = 10_000;
/** Share of the requests that must be answered, rightly and in time to count, for a rate to be sustained. */
export const ANSWERED_SHARE = 0.999;

/** Offers a server one rate. */
export async function runStep(server: LoadServer, options: StepOptions): Promise<LoadStep> {
  const { ratePerSecond, seconds } = options;
  const arrivals = Math.max(FEWEST_ARRIVALS, Math.ceil(ratePerSecond * seconds));
  const startS = monotonicS();
  const result = await sendAtRate(server.send, {
    ratePerSecond,
    arrivals,
    outstandingMax: OUTSTANDING_MAX,
    drainMs: DRAIN_MS,
  });
  return toStep(options, arrivals, result, { startS, endS: monotonicS() });
}

/** What is kept of the arrivals of a step. */
function toStep(
  { target, ratePerSecond, p50LimitUs, p99LimitUs }: StepOptions,
  arrivals: number,
  result: ArrivalResult,
  times: Pick<LoadStep, 'startS' | 'endS'>,
): LoadStep {
  const { answered, failures, latencyUs, lagUs, elapsedMs } = result;
  const at = (percentile: number): number => latencyUs.getValueAtPercentile(percentile);
  return {
    target,
    ratePerSecond,
    arrivals,
    answered,
    answeredPerSecond: elapsedMs > 0 ? (answered * 1000) / elapsedMs : 0,
    failures,
    p50Us: at(50),
    p90Us: at(90),
    p99Us: at(99),
    p999Us: at(99.9),
    maxUs: latencyUs.maxValue,
    meanUs: latencyUs.mean,
    lagP99Us: lagUs.getValueAtPercentile(99),
    sustained: answered >= arrivals * ANSWERED_SHARE && at(50) <= p50LimitUs && at(99) <= p99LimitUs,
    ...times,
    histogram: encodeIntoCompressedBase64(latencyUs),
  };
}
