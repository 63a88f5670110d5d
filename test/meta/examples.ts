/**
 * Runs what a document shows, as its reader would: `ts` blocks are compiled and run, `sh` blocks are typed into one terminal from top
 * to bottom, and blocks with a name of a file are there as that file. `console` blocks are only read.
 * A block says behind its language which parts it cannot do without: `needs=rust`.
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { requirePart } from '../require.ts';
import { blocksOf, isShown, stepsOf, type Block } from './markdown.ts';
import { findRust } from './rust.ts';
import { Terminal } from './terminal.ts';

/** The package's folder; this file is compiled to dist/test/meta. */
export const ROOT: string = join(import.meta.dirname, '..', '..', '..');

const COMMAND = join(ROOT, 'dist', 'lib', 'cli', 'main.js');
const PROGRAM_TIMEOUT_MS = 60_000;
/** The port that `npm start` listens on unless it is told another. */
const DEFAULT_PORT = '7070';
/** Ports that documents show. Others listen there on this machine, perhaps: each is replaced by one that is free. */
const SHOWN_PORT = /\b(?:707\d|808\d)\b/g;

const isInstalled = (program: string, ...given: string[]): boolean => spawnSync(program, given).error === undefined;

const rust = findRust();

/** Parts that a block may need: whether it is there, and what to say where it is not. */
const PARTS: Readonly<Record<string, { readonly isThere: () => boolean; readonly reason: string }>> = {
  rust: { isThere: () => rust !== undefined, reason: 'there is no rustc with a WASI target' },
  curl: { isThere: () => isInstalled('curl', '--version'), reason: 'it is not installed' },
  haproxy: { isThere: () => isInstalled('haproxy', '-v'), reason: 'it is not installed' },
  'componentize-js': {
    isThere: () =>
      existsSync(join(ROOT, 'functions/components/node_modules/@bytecodealliance/componentize-js/package.json')),
    reason: 'npm ci --prefix functions/components has not run',
  },
};

/** `npx` of a place where the package is installed; commands for a server are told where this one listens. */
const NPX = `#!/bin/sh
[ "$1" = nebula ] || exit 127
shift
case "$* " in
*' --url '*) ;;
deploy*|list*|logs*|remove*|rollback*|"invoke factorial"*) set -- "$@" --url "$SERVER_URL";;
esac
exec "$NODE" "$COMMAND" "$@"
`;

/** `npm install --prefix FOLDER` of a template in JavaScript: what is installed here already is linked. */
const NPM = `#!/bin/sh
[ "$1 $2" = 'install --prefix' ] || exit 127
mkdir -p "$3/node_modules/@bytecodealliance"
ln -s "${ROOT}/node_modules/esbuild" "$3/node_modules/"
for name in componentize-js jco; do
  ln -s "${ROOT}/functions/components/node_modules/@bytecodealliance/$name" "$3/node_modules/@bytecodealliance/"
done
`;

/** Tests that everything that a document shows does what the document says. */
export function testExamples(document: string): void {
  const markdown = readFileSync(join(ROOT, document), 'utf8');
  const blocks = blocksOf(markdown);
  const programs = blocks.filter(({ language }) => language === 'ts');
  const typed = blocks.filter(({ language }) => language === 'sh');
  if (programs.length > 0) testPrograms(document, programs);
  if (typed.length > 0) testTerminal(document, blocks, markdown.includes('npm start'));
  const unused = blocks.filter(
    ({ language, name }) => language === 'js' && (name === '' || !typed.some(({ code }) => code.includes(name))),
  );
  test(`${document}: every js block is a file that a command uses`, () => assert.deepEqual(unused, []));
}

/** False, or why a block cannot be run here. */
function skipOf({ code, needs }: Block): string | false {
  const named = code.includes('curl') ? [...needs, 'curl'] : needs;
  for (const name of named) {
    const part = PARTS[name];
    assert.ok(part !== undefined, `nothing is known of a part ${name}`);
    const skip = requirePart(name, part.isThere(), part.reason);
    if (skip !== false) return skip;
  }
  return false;
}

function testPrograms(document: string, programs: readonly Block[]): void {
  describe(`${document}: a ts block`, () => {
    // Inside the package, where its own name resolves to what it exports.
    const folder = mkdtempSync(join(ROOT, 'dist', 'examples-'));
    before(() => {
      const options = { rootDir: '.', outDir: '.' };
      const config = { extends: '../../tsconfig.json', compilerOptions: options, include: ['*.ts'], exclude: [] };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
      programs.forEach(({ code }, at) => writeFileSync(join(folder, `block${at}.ts`), code));
      const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
      const { status, stdout } = spawnSync(compiler, ['-p', folder], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });
    after(() => rmSync(folder, { recursive: true }));

    programs.forEach((block, at) => {
      test(`number ${at + 1} compiles and prints what it says`, { skip: skipOf(block) }, () => {
        const expected = Array.from(block.code.matchAll(/\/\/ => (.*)$/gm), ([, line]) => `${line}\n`).join('');
        assert.notEqual(expected, '');
        const options = { cwd: ROOT, encoding: 'utf8', timeout: PROGRAM_TIMEOUT_MS } as const;
        const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, `block${at}.js`)], options);
        assert.deepEqual([stdout, stderr, status], [expected, '', 0]);
      });
    });
  });
}

function testTerminal(document: string, blocks: readonly Block[], hasServer: boolean): void {
  describe(`${document}: a command`, () => {
    const folder = mkdtempSync(join(ROOT, 'dist', 'examples-'));
    const place = join(folder, 'place');
    let terminal: Terminal;
    let ports: ReadonlyMap<string, string>;
    const onFreePorts = (text: string): string => text.replaceAll(SHOWN_PORT, (shown) => ports.get(shown) ?? shown);

    before(async () => {
      const shown = blocks.flatMap(({ code }) => code.match(SHOWN_PORT) ?? []);
      ports = await freePorts([DEFAULT_PORT, ...shown]);
      if (hasServer) ports = new Map(ports).set(DEFAULT_PORT, await portOfServer());
      mkdirSync(join(folder, 'bin'));
      makeClone(place);
      writeFileSync(join(folder, 'bin', 'npx'), NPX, { mode: 0o755 });
      writeFileSync(join(folder, 'bin', 'npm'), NPM, { mode: 0o755 });
      for (const { name, code } of blocks) if (name !== '') writeFileSync(join(place, name), onFreePorts(code));
      const port = ports.get(DEFAULT_PORT) ?? '';
      terminal = new Terminal(folder, place, {
        PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
        NODE: process.execPath,
        COMMAND: join(place, 'dist', 'lib', 'cli', 'main.js'),
        PORT: port,
        SERVER_URL: `http://127.0.0.1:${port}`,
      });
    });
    after(async () => {
      await terminal.close();
      rmSync(folder, { recursive: true });
    });

    for (const block of blocks.filter(({ language }) => language === 'sh')) {
      const skip = skipOf(block);
      for (const { command, expected } of stepsOf(block.code)) {
        test(`does what it says: ${command}`, { skip }, async () => {
          const compiler = `${rust?.rustc} --target ${rust?.target}`;
          const line = onFreePorts(command).replace('rustc --target wasm32-wasip1', compiler);
          const { stdout, stderr, status } = await terminal.type(line);
          assert.ok(isShown(stdout, expected), `expected ${expected}\ngot ${stdout}\nand on stderr ${stderr}`);
          assert.equal(status, 0, stderr);
        });
      }
    }
  });
}

/** A clone in which everything is installed and built, that may be written to. */
function makeClone(place: string): void {
  mkdirSync(join(place, 'dist'), { recursive: true });
  const built = ['host', 'pools', 'lib', 'bench', 'hardware', 'statistics'].map((name) => join(ROOT, 'dist', name));
  const copied = spawnSync('cp', ['--archive', '--link', ...built.filter((path) => existsSync(path)), 'dist'], {
    cwd: place,
    encoding: 'utf8',
  });
  assert.equal(copied.status, 0, copied.stderr);
  const installed = ['node_modules', 'functions/target', 'functions/components/node_modules'];
  const isWritten = (path: string): boolean => !installed.some((name) => path === join(ROOT, name));
  for (const name of ['functions', 'package.json'])
    cpSync(join(ROOT, name), join(place, name), { recursive: true, filter: isWritten });
  for (const name of installed) if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(place, name));
}

let server: ChildProcess | undefined;
let serverPort: Promise<string> | undefined;

after(async () => {
  if (server === undefined) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
});

/** What `npm start` runs once it has built: started for the first document that needs it, one for all of them. */
function portOfServer(): Promise<string> {
  serverPort ??= startServer();
  return serverPort;
}

async function startServer(): Promise<string> {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const [, given = ''] = scripts.start.split('node dist/lib/cli/main.js ');
  server = spawn(process.execPath, [COMMAND, ...given.split(' '), '--port', '0', '--log', 'none'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(server.stdout as NodeJS.ReadableStream), 'line')) as [string];
  const port = /^curl --data 30 http:\/\/127\.0\.0\.1:(\d+)\/invoke\/fibonacci$/.exec(line)?.[1];
  assert.ok(port !== undefined, line);
  return port;
}

/** A free port for each that is shown; all are held until the last was found, so that none is there twice. */
async function freePorts(shown: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const held = await Promise.all(
    [...new Set(shown)].map(async (port) => {
      const listener = createServer().listen(0, '127.0.0.1');
      await once(listener, 'listening');
      return { port, listener, free: String((listener.address() as AddressInfo).port) };
    }),
  );
  await Promise.all(held.map(({ listener }) => new Promise((done) => listener.close(done))));
  return new Map(held.map(({ port, free }) => [port, free]));
}
