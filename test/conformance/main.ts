/**
 * `npm run conformance -- DIR`: runs a folder of modules with the JSON specifications of the public WASI test suite.
 * Two columns: as a core module, and as a component made with the preview 1 adapter. Exit code 0 when all passed, or failed as
 * a component alone and for a known reason; 1 otherwise; 2 for usage.
 */

import { statSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../../host/errors.ts';
import { type CaseResult, findCases, runSuite, type SuiteOptions } from './runner.ts';
import { FILESYSTEMS, type FilesystemKind } from './scratch.ts';

const USAGE = `Usage: npm run conformance -- DIR [options]
  --json FILE          write the results to a file
  --filter TEXT        run only files whose path holds the text
  --filesystem KIND    machine (default) or memory
  --core               core modules only, no components
  --timeout MS         wall time one test may take (default 30000)
`;
const DEFAULT_TIMEOUT_MS = 30_000;

interface Command extends SuiteOptions {
  readonly json: string | undefined;
}

function parseCommand(given: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      filter: { type: 'string' },
      filesystem: { type: 'string', default: 'machine' },
      core: { type: 'boolean', default: false },
      timeout: { type: 'string', default: String(DEFAULT_TIMEOUT_MS) },
    },
  });
  const [directory] = positionals;
  if (directory === undefined || positionals.length > 1) throw new Error('expected one DIR');
  if (!statSync(directory).isDirectory()) throw new Error(`expected a directory, got "${directory}"`);
  const filesystem = FILESYSTEMS.find((kind: FilesystemKind) => kind === values.filesystem);
  if (filesystem === undefined) throw new Error(`expected --filesystem ${FILESYSTEMS.join(' or ')}`);
  const timeoutMs = Number(values.timeout);
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1) throw new Error('expected --timeout to be a positive integer');
  if (findCases(directory, values.filter).length === 0) throw new Error(`no .wasm to run in "${directory}"`);
  const options = { directory, filesystem, timeoutMs, json: values.json, components: !values.core };
  return values.filter === undefined ? options : { ...options, filter: values.filter };
}

/** What a column says: `known` failed for a reason that is not the host's, `-` did not run. */
type Verdict = 'passed' | 'failed' | 'known' | '-';

interface Judged {
  readonly core: Verdict;
  readonly component: Verdict;
}

function judge({ failures, component }: CaseResult): Judged {
  const core = failures.length === 0 ? 'passed' : 'failed';
  if (component === undefined) return { core, component: '-' };
  if (component.failures.length === 0) return { core, component: 'passed' };
  return { core, component: core === 'passed' && component.reason !== undefined ? 'known' : 'failed' };
}

function print(result: CaseResult, { core, component }: Judged): void {
  process.stdout.write(`${core.padEnd(6)} ${component.padEnd(6)} ${result.file}\n`);
  for (const failure of result.failures) process.stdout.write(`       ${failure}\n`);
  if (component === 'known') process.stdout.write(`       as a component: ${result.component?.reason}\n`);
  if (component !== 'failed' || core === 'failed') return;
  for (const failure of result.component?.failures ?? []) process.stdout.write(`       as a component: ${failure}\n`);
}

async function run(command: Command): Promise<boolean> {
  const results: CaseResult[] = [];
  const verdicts: Judged[] = [];
  process.stdout.write('core   component\n');
  for await (const result of runSuite(command)) {
    const judged = judge(result);
    results.push(result);
    verdicts.push(judged);
    print(result, judged);
  }
  const count = (holds: (verdict: Judged) => boolean): number => verdicts.filter(holds).length;
  const failed = count(({ core, component }) => core === 'failed' || component === 'failed');
  const passed = results.length - failed;
  const components = {
    passed: count(({ component }) => component === 'passed'),
    known: count(({ component }) => component === 'known'),
    failed: count(({ component }) => component === 'failed'),
  };
  if (command.json !== undefined) {
    const { directory, filesystem } = command;
    const report = { directory, filesystem, passed, failed, components, cases: results };
    writeFileSync(command.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  if (verdicts.some(({ component }) => component !== '-')) {
    const { passed: well, known, failed: badly } = components;
    process.stdout.write(`as components: ${well} passed, ${known} failed for a known reason, ${badly} failed\n`);
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0;
}

try {
  process.exitCode = (await run(parseCommand(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`Cannot run the suite: ${messageOf(error)}\n${USAGE}`);
  process.exitCode = 2;
}
