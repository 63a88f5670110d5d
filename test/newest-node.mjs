// `node test/newest-node.mjs`: runs what matters most on the newest Node, from the npm package that ships its binary:
// invocations, deadlines, components, conformance. Build first.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSION = '26.12.1';
const PARTS = [
  'host/component',
  'host/deadline',
  'host/filesystem/escape',
  'host/module',
  'host/preview1',
  'host/snapshot',
  'lib/component',
  'lib/guests',
  'functions/components',
  'conformance',
  'pools/worker/pool',
  'pools/deadline',
];

const folder = process.argv[2] ?? join(tmpdir(), `nebula-node-${VERSION}`);
const binary = join(folder, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
if (!existsSync(binary)) {
  mkdirSync(folder, { recursive: true });
  const given = ['install', '--prefix', folder, '--no-audit', '--no-fund', `node-linux-${process.arch}@${VERSION}`];
  execFileSync('npm', given, { stdio: ['ignore', 'inherit', 'inherit'] });
}
process.stdout.write(`Node ${execFileSync(binary, ['--version'], { encoding: 'utf8' })}`);
const { status } = spawnSync(binary, [join(import.meta.dirname, 'run.mjs'), ...PARTS], { stdio: 'inherit' });
process.exitCode = status ?? 1;
