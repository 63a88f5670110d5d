/** `node dist/test/host/module/compare-random.js COUNT SEED`: random modules with and without a budget. */

import { compareRandom } from './random-budgets.ts';

const [count = 1000, seed = 1] = process.argv.slice(2).map(Number);
process.stdout.write(`${JSON.stringify({ count, seed, ...(await compareRandom(count, seed)) })}\n`);
