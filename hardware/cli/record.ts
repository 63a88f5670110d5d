/** `nebula meter record`: a source into a file until it is stopped. */

import { recordToFile, type RecordingReport } from '../meter/recording-file.ts';
import { openSource } from '../meter/sources.ts';
import { UsageError, argumentsOf, printJson, secondsOf, stopSignal, syntheticStamp, tellAdvice } from './command.ts';

const PROGRESS_MS = 1000;

function describe({ file, source, durationS, counts }: RecordingReport): string {
  const { firstProblem, values, ...others } = counts;
  const told = Object.entries(others).filter(([, count]) => count > 0);
  const problems = told.length === 0 ? 'nothing lost' : told.map(([name, count]) => `${count} ${name}`).join(', ');
  const first = firstProblem === undefined ? '' : `; first ${firstProblem}`;
  return `${source}: ${values} values in ${durationS.toFixed(1)} s to ${file}; ${problems}${first}\n`;
}

/** `nebula meter record`. @throws HardwareError of the source and of the recording */
export async function record(given: readonly string[]): Promise<void> {
  const options = { seconds: { type: 'string' }, out: { type: 'string', short: 'o' } } as const;
  const { operands, flags } = argumentsOf(given, options, 1);
  const seconds = secondsOf(flags);
  const { out, json } = flags;
  if (typeof out !== 'string' || out === '') throw new UsageError('Expected --out FILE');
  const source = await openSource(operands[0] as string);
  tellAdvice(source.properties);
  const { signal, release } = stopSignal(seconds);
  let shownMs = 0;
  try {
    const report = await recordToFile(source, out, signal, (tally) => {
      if (!process.stderr.isTTY || Date.now() - shownMs < PROGRESS_MS) return;
      shownMs = Date.now();
      process.stderr.write(`\r${tally.counts().values} values, Ctrl-C ends `);
    });
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
    if (json === true) printJson(report);
    else process.stdout.write(`${describe(report)}${report.synthetic ? syntheticStamp() : ''}`);
  } finally {
    release();
    await source.close();
  }
}
