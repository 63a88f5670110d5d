// A reporter of node:test that tells, at the end, which files took longest and which tests failed, since what a run of thousands
// of tests printed last is what is left of it in most logs. NEBULA_FAILURES names a file that takes the failures, too.
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';

const SHOWN = 10;
/** Of one failure's reason. */
const REASON_CHARACTERS = 1500;
const root = process.cwd();

function failure({ name, file, details }) {
  const reason = details.error?.cause?.stack ?? details.error?.cause ?? details.error?.message ?? 'no reason told';
  const where = file === undefined ? '' : ` (${relative(root, file)}, Node ${process.versions.node})`;
  return `${name}${where}\n    ${String(reason).slice(0, REASON_CHARACTERS).replaceAll('\n', '\n    ')}`;
}

/** Adds up what the tests of each file took; those inside another are part of it. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter by its default export
export default async function* slowest(events) {
  const tookMs = new Map();
  const failures = [];
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // One that failed because a test inside it did says nothing new.
    if (type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed') failures.push(failure(data));
    if (data.nesting !== 0 || data.file === undefined) continue;
    tookMs.set(data.file, (tookMs.get(data.file) ?? 0) + data.details.duration_ms);
  }
  const ranked = [...tookMs].sort(([, left], [, right]) => right - left).slice(0, SHOWN);
  const lines = ranked.map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${relative(root, file)}`);
  yield `\nSlowest test files:\n${lines.join('\n')}\n`;
  if (failures.length === 0) return;
  const told = `${failures.join('\n')}\n`;
  if (process.env.NEBULA_FAILURES) appendFileSync(process.env.NEBULA_FAILURES, told);
  yield `\nFailed:\n${told}`;
}
