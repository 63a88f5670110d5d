/** The components that `npm start` deploys: through the library, over HTTP and through the command. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Request } from 'undici';
import { createNebula, type Nebula } from '../../lib/index.ts';
import { nebula as command, startServe } from '../lib/cli/command.ts';
import { FUNCTIONS_FOLDER } from './cases.ts';

const FOLDER = join(FUNCTIONS_FOLDER, 'components');
const LARGEST_BYTES = 15_000_000;
const LINES = 'one\ntwo\nthree\n';

const names = readdirSync(FOLDER)
  .filter((name) => existsSync(join(FOLDER, name, 'nebula.json')))
  .sort();

let nebula: Nebula;
let origin = '';
const other = createServer((request, response) => {
  if (request.url === '/large') response.end('x'.repeat(300_000));
  else response.writeHead(418, { 'content-type': 'text/plain' }).end(`asked ${request.url}`);
});

before(async () => {
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  nebula = await createNebula({ threads: 2 });
  for (const name of ['match-lines', 'transform', 'call-out']) await nebula.deploy(join(FOLDER, name));
  const capabilities = { http: { origins: [origin], private: true } };
  await nebula.deploy(join(FOLDER, 'call-out'), { name: 'granted', capabilities });
});

after(async () => {
  await nebula.close();
  other.close();
});

const fetchFrom = (name: string, path: string, body?: string): ReturnType<ReturnType<Nebula['fn']>['fetch']> =>
  nebula.fn(name).fetch(new Request(`http://localhost${path}`, body === undefined ? {} : { method: 'POST', body }));

test('digests.json names every component as it is committed, each below 15 MB', () => {
  const digests = JSON.parse(readFileSync(join(FOLDER, 'digests.json'), 'utf8')) as Record<
    string,
    { readonly wasmSha256: string }
  >;
  // A guest of tests is no function, and has no manifest.
  const built = [...names, 'scripted'].sort();
  assert.deepEqual(Object.keys(digests).sort(), built);
  for (const name of built) {
    const bytes = readFileSync(join(FOLDER, name, `${name}.wasm`));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), digests[name]?.wasmSha256, name);
    assert.ok(bytes.length < LARGEST_BYTES, name);
  }
});

test('match-lines answers through the library, and exits with 1 when no line matches', async () => {
  assert.equal(nebula.get('match-lines').component?.kind, 'command');
  const given = await nebula.invokeOrThrow('match-lines', LINES, { arguments: ['t'] });
  assert.equal(Buffer.from(given).toString(), 'two\nthree\n');
  const byVariable = await nebula.invokeOrThrow('match-lines', LINES, { environment: { PATTERN: 'on' } });
  assert.equal(Buffer.from(byVariable).toString(), 'one\n');
  const none = await nebula.invoke('match-lines', LINES, { arguments: ['x'] });
  assert.deepEqual([none.kind, none.kind === 'exit' && none.exitCode], ['exit', 1]);
});

test('transform answers pieces in capitals through the library', async () => {
  const response = await fetchFrom('transform', '/', 'abc déf');
  assert.deepEqual([response.status, await response.text()], [200, 'ABC DéF']);
  const large = await fetchFrom('transform', '/', 'ab'.repeat(500_000));
  assert.equal(await large.text(), 'AB'.repeat(500_000));
});

test('call-out passes on what another server answers, and only where that was granted', async () => {
  const granted = await fetchFrom('granted', `/?${origin}/tea?a=b`);
  assert.deepEqual([granted.status, await granted.text()], [418, 'asked /tea?a=b']);
  assert.equal((await (await fetchFrom('granted', `/?${origin}/large`)).text()).length, 300_000);
  const denied = await fetchFrom('call-out', `/?${origin}/tea`);
  assert.deepEqual(
    [denied.status, await denied.text()],
    [502, `Cannot get ${origin}/tea: the manifest does not grant its origin\n`],
  );
  assert.equal((await fetchFrom('call-out', '/')).status, 400);
  assert.match(await (await fetchFrom('granted', '/?ftp://host/')).text(), /no http or https URL/);
});

test('nebula serve deploys the components, which stream both ways over HTTP', async (context) => {
  const { url } = await startServe(context, ['--functions', FOLDER]);
  const listed = (await (await fetch(`${url}/functions`)).json()) as {
    readonly functions: { readonly name: string }[];
  };
  for (const name of names)
    assert.ok(
      listed.functions.some((record) => record.name === name),
      name,
    );
  const matched = await fetch(`${url}/invoke/match-lines`, { method: 'POST', body: LINES });
  assert.equal(await matched.text(), 'one\ntwo\n');
  const request = httpRequest(`${url}/fn/transform/`, { method: 'POST' });
  request.write('first');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  assert.equal(String((await pieces.next()).value), 'FIRST');
  request.end('second');
  assert.equal(String((await pieces.next()).value), 'SECOND');
  assert.equal((await pieces.next()).done, true);
  assert.equal(response.trailers['transform-bytes'], '11');
  assert.equal((await fetch(`${url}/fn/call-out/?${origin}/`)).status, 502);
  assert.equal(await (await fetch(`${url}/fn/web/hello?name=Ada`)).text(), 'Hello, Ada!\n');
});

test('nebula invoke runs match-lines, and nebula inspect tells what each component is', async () => {
  const invoked = await command(['invoke', join(FOLDER, 'match-lines'), '--env', 'PATTERN=t'], { input: LINES });
  assert.deepEqual([invoked.code, invoked.stdout], [0, 'two\nthree\n'], invoked.stderr);
  const none = await command(['invoke', join(FOLDER, 'match-lines'), '--arg', 'x'], { input: LINES });
  assert.deepEqual([none.code, none.stdout], [1, '']);
  const inspected = await command(['inspect', join(FOLDER, 'transform')]);
  assert.match(inspected.stdout, /component.*wasi:http\/incoming-handler/s);
});
