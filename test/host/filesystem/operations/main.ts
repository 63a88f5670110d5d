/** More sequences than `npm test` takes: `npm run operations -- [SEQUENCES] [SEED] [TARGETS]`. */

import { compare } from './agreement.ts';
import { TARGETS, type Target } from './targets.ts';

const [sequences = '500', seed = '1', targets = TARGETS.join(',')] = process.argv.slice(2);
const LENGTH = 40;
const BATCH = 250;

let failed = 0;
let operations = 0;
const met = new Map<string, number>();
for (let done = 0; done < Number(sequences); done += BATCH) {
  const count = Math.min(BATCH, Number(sequences) - done);
  const wanted = targets.split(',') as Target[];
  const agreement = await compare({ seed: Number(seed) + done, sequences: count, length: LENGTH, targets: wanted });
  for (const compared of agreement.compared.values()) operations += compared;
  for (const [{ of, reason }, times] of agreement.met) {
    met.set(`${of.join(', ')}: ${reason}`, (met.get(`${of.join(', ')}: ${reason}`) ?? 0) + times);
  }
  for (const text of agreement.unknown) {
    failed++;
    process.stdout.write(`${text}\n`);
  }
}
for (const [reason, times] of met) process.stdout.write(`${String(times).padStart(7)} ${reason}\n`);
process.stdout.write(`${operations} answers compared, ${failed} differences that no line covers\n`);
process.exitCode = failed === 0 ? 0 : 1;
