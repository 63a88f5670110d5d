// A reporter of node:test that writes one line of JSON for each test: its file, name, how it ended, what it took.
import { relative } from 'node:path';

// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter by its default export
export default async function* events(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A suite, and a file whose tests have told their own endings.
    if (data.details.type === 'suite' || (data.name === data.file && type === 'test:pass')) continue;
    // One that the pattern of names leaves out was not asked for.
    if (/does not match pattern/.test(String(data.skip))) continue;
    const state = type === 'test:fail' ? 'failed' : data.skip === undefined ? 'passed' : 'skipped';
    const error = data.details.error?.cause?.stack ?? data.details.error?.cause ?? data.details.error?.message;
    yield `${JSON.stringify({
      file: data.file === undefined ? '' : relative(process.cwd(), data.file),
      name: data.name,
      state,
      ms: Math.round(data.details.duration_ms),
      ...(typeof data.skip === 'string' ? { reason: data.skip.split('\n')[0] } : {}),
      ...(state === 'failed' ? { reason: String(error).slice(0, 1500) } : {}),
    })}\n`;
  }
}
