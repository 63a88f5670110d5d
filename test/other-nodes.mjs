// `node test/other-nodes.mjs [MAJOR...]`: runs tests on other Nodes than this one, from the npm package that ships their binaries:
// host, pools and lib whole on the newest, and on each other what depends on V8 and on the machine. Without a MAJOR, on all of
// them. Build first. NEBULA_UNTIL, in seconds since 1970, begins no part after it, and tells which were left out: on a machine that is
// slow that day, CI ends with what it found.
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

const until = Number(process.env.NEBULA_UNTIL ?? Infinity);
const failed = [];
const leftOut = [];
for (const major of asked.length > 0 ? asked : Object.keys(NODES)) {
  const { version, parts } = NODES[major];
  const binary = binaryOf(version);
  for (const part of parts) {
    const which = `${part} on Node ${version}`;
    if (Date.now() / 1000 > until) {
      leftOut.push(which);
      continue;
    }
    process.stdout.write(`\n-- ${which}\n`);
    const { status } = spawnSync(binary, [join(import.meta.dirname, 'run.mjs'), part], { stdio: 'inherit' });
    if (status !== 0) failed.push(which);
  }
}
if (leftOut.length > 0) process.stdout.write(`Left out, for there was no time left: ${leftOut.join(', ')}\n`);
if (failed.length > 0) process.stderr.write(`Failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
