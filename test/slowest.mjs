// A reporter of node:test that tells, at the end, which files took longest: the suite runs on two cores in CI.
import { relative } from 'node:path';

const SHOWN = 10;
const root = process.cwd();

/** Adds up what the tests of each file took; those inside another are part of it. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter by its default export
export default async function* slowest(events) {
  const tookMs = new Map();
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting !== 0 || data.file === undefined) continue;
    tookMs.set(data.file, (tookMs.get(data.file) ?? 0) + data.details.duration_ms);
  }
  const ranked = [...tookMs].sort(([, left], [, right]) => right - left).slice(0, SHOWN);
  const lines = ranked.map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${relative(root, file)}`);
  yield `\nSlowest test files:\n${lines.join('\n')}\n`;
}
