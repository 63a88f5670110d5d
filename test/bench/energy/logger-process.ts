/**
 * A power logger made up from the edges of a pin that strace or QEMU saw: run as a process of its own that knows nothing of the
 * run it logs. It has its own clock, samples the pin, and draws a power for each pulse, so that the energy of each is known.
 * Arguments: trace, CSV to write, file for the truth, and of a trace of QEMU's PL061 the output.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';
import { pl061Edges } from '../../arm64/pl061-trace.ts';
import { tracedEdges } from '../../hardware/marker/traced-edges.ts';
import { DRIFT_PPM, IDLE_W, NOISE_W, SAMPLE_S, type KnownPulse } from './known-pulse.ts';

const [tracePath = '', csvPath = '', truthPath = '', output] = process.argv.slice(2);

const random = seededRandom(77);
const trace = readFileSync(tracePath, 'utf8');
const writes = output === undefined ? tracedEdges(trace) : pl061Edges(trace, Number(output));
const originS = (writes[0]?.timeS ?? 0) - 1;
/** The logger's clock: another origin, and a crystal that runs fast. */
const toLoggerS = (wallS: number): number => 11.25 + (wallS - originS) * (1 + DRIFT_PPM * 1e-6);

const pulses: KnownPulse[] = [];
let openS: number | undefined;
for (const { timeS, level } of writes) {
  if (level === 1) openS ??= toLoggerS(timeS);
  else if (openS !== undefined) {
    const startS = openS;
    const endS = toLoggerS(timeS);
    const powerW = 1 + 2 * random();
    pulses.push({ startS, endS, powerW, netJ: powerW * (endS - startS) });
    openS = undefined;
  }
}

const lines = ['t_s,power_w,d0'];
const endS = (pulses.at(-1)?.endS ?? 0) + 1;
let pulse = 0;
for (let sample = 0; sample * SAMPLE_S <= endS; sample++) {
  const timeS = sample * SAMPLE_S;
  if (timeS < 11) continue;
  while (pulse < pulses.length && (pulses[pulse] as KnownPulse).endS <= timeS) pulse++;
  const now = pulses[pulse];
  const high = now !== undefined && now.startS <= timeS;
  const powerW = IDLE_W + (high ? now.powerW : 0) + NOISE_W * normalFrom(random);
  lines.push(`${timeS.toFixed(6)},${powerW},${high ? 1 : 0}`);
}
const sidecar = {
  source: 'made from the edges',
  rule: 'instant',
  clock: 'logger',
  synthetic: true,
  refresh_s: SAMPLE_S,
};
writeFileSync(csvPath, `${lines.join('\n')}\n`);
writeFileSync(`${csvPath}.json`, JSON.stringify(sidecar));
writeFileSync(truthPath, JSON.stringify(pulses));
