/**
 * `npm run conformance -- DIR`: runs a folder of modules with the JSON specifications of the public WASI test suite.
 * Exit code 0 when all passed, 1 when one failed, 2 for usage.
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
  const options = { directory, filesystem, timeoutMs, json: values.json };
  return values.filter === undefined ? options : { ...options, filter: values.filter };
}

async function run(command: Command): Promise<boolean> {
  const results: CaseResult[] = [];
  for await (const result of runSuite(command)) {
    results.push(result);
    const { file, failures } = result;
    process.stdout.write(`${failures.length === 0 ? 'passed' : 'failed'} ${file}\n`);
    for (const failure of failures) process.stdout.write(`       ${failure}\n`);
  }
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const passed = results.length - failed;
  if (command.json !== undefined) {
    const { directory, filesystem } = command;
    const report = { directory, filesystem, passed, failed, cases: results };
    writeFileSync(command.json, `${JSON.stringify(report, undefined, 2)}\n`);
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
