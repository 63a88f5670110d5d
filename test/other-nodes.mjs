// `node test/other-nodes.mjs [MAJOR...]`: runs tests on other Nodes than this one, from the npm package that ships their binaries:
// host, pools and lib whole on the newest, and on each other what depends on V8 and on the machine. Without a MAJOR, on all of
// them. Build first.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WHOLE = ['host/', 'pools/', 'lib/', 'functions/components', 'conformance/'];
/** Invocations, deadlines, components, conformance. */
const ESSENTIAL = [
  'host/bytes',
  'host/component',
  'host/deadline',
  'host/filesystem/escape',
  'host/module',
  'host/preparation',
  'host/preview1',
  'host/snapshot',
  'host/trap',
  'host/waiting',
  'lib/component',
  'lib/guests',
  'functions/components',
  'conformance/',
  'pools/worker/pool',
  'pools/worker/waiting',
  'pools/deadline',
  'pools/matrix',
];
const NODES = {
  26: { version: '26.12.1', parts: WHOLE },
  24: { version: '24.22.3', parts: ESSENTIAL },
  22: { version: '22.23.5', parts: ESSENTIAL },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((major) => !Object.hasOwn(NODES, major));
if (unknown.length > 0) {
  process.stderr.write(`Expected some of ${Object.keys(NODES).join(', ')}, got ${unknown.join(', ')}\n`);
  process.exit(2);
}

/** The binary of a Node, which is installed into a folder for temporary files unless it is there. */
function binaryOf(version) {
  const folder = join(tmpdir(), `nebula-node-${version}`);
  const name = `node-linux-${process.arch}`;
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const given = ['install', '--prefix', folder, '--no-audit', '--no-fund', `${name}@${version}`];
  execFileSync('npm', given, { stdio: ['ignore', 'inherit', 'inherit'] });
  return binary;
}

const failed = [];
for (const major of asked.length > 0 ? asked : Object.keys(NODES)) {
  const { version, parts } = NODES[major];
  const binary = binaryOf(version);
  process.stdout.write(`\nNode ${execFileSync(binary, ['--version'], { encoding: 'utf8' })}`);
  const { status } = spawnSync(binary, [join(import.meta.dirname, 'run.mjs'), ...parts], { stdio: 'inherit' });
  if (status !== 0) failed.push(version);
}
if (failed.length > 0) process.stderr.write(`Failed on Node ${failed.join(', ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
