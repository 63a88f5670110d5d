import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../host/limits.ts';
import { parseManifest, parseManifestText } from '../../../lib/manifest/manifest.ts';

test('parseManifest() takes devices of mounts by the names it knows', () => {
  const mount = { guest: '/dev', files: {}, access: 'read-only' };
  const parse = (devices: unknown): unknown =>
    parseManifest({ name: 'a', capabilities: { mounts: [{ ...mount, devices }] } }).capabilities?.mounts?.[0];
  assert.deepEqual(parse(['null', 'urandom']), { ...mount, devices: ['null', 'urandom'] });
  for (const devices of [['tty'], ['null', 'null'], 'null']) {
    assert.throws(() => parse(devices), { code: 'ERR_NEBULA_MANIFEST_INVALID', message: /mounts.0" must be/ });
  }
});

test('parseManifest() takes guest paths of mounts that are relative', () => {
  for (const guest of ['.', 'data', 'a/b', '/data']) {
    const mounts = [
      { guest, machine: '.', access: 'read-only' },
      { guest, files: {}, access: 'read-write' },
    ];
    assert.deepEqual(parseManifest({ name: 'a', capabilities: { mounts } }).capabilities?.mounts, mounts);
  }
});

test('parseManifest() takes every field there is', () => {
  const manifest = {
    name: 'thumb-nail.v2_x',
    module: 'x.wasm',
    description: 'a text',
    entry: 'handle',
    limits: { ...DEFAULT_LIMITS },
    capabilities: {
      arguments: ['-v'],
      environment: { A: '1' },
      mounts: [
        { guest: '/data', machine: './data', access: 'read-only' },
        { guest: '/tmp', files: { 'a.txt': 'a', 'b.bin': { base64: 'AAEC' } }, access: 'read-write' },
      ],
      clocks: { kind: 'coarse', grainNs: 1000 },
      random: { kind: 'seeded', seed: -7 },
      http: { origins: ['https://example.com'], private: true },
      sockets: { connect: ['192.0.2.1:5432', '[2001:db8::1]:*'], bind: ['127.0.0.1:0'] },
      denial: 'end',
    },
    init: { export: 'wizer.initialize', environment: { SIZE: '1' }, allow: ['random'], warmUp: ['x'] },
    strategy: 'cow',
    snapshot: 'x.snapshot',
    http: { contentType: 'text/plain; charset=utf-8', showFailures: true },
  };
  const parsed = parseManifest(manifest);
  const mount = parsed.capabilities?.mounts?.[1];
  assert.ok(mount !== undefined && 'files' in mount);
  assert.deepEqual(mount.files, { 'a.txt': 'a', 'b.bin': new Uint8Array([0, 1, 2]) });
  const { capabilities: _parsed, ...rest } = parsed;
  const { capabilities: _given, ...given } = manifest;
  assert.deepEqual(rest, given);
});

test('parseManifest() takes binary files as bytes and leaves out what is undefined', () => {
  const files = { a: new Uint8Array([255]) };
  const parsed = parseManifest({
    name: 'a',
    entry: undefined,
    capabilities: { mounts: [{ guest: '/', files, access: 'read-only' }] },
  });
  assert.deepEqual(parsed, {
    name: 'a',
    capabilities: { mounts: [{ guest: '/', files, access: 'read-only' }] },
  });
});

const refused: readonly (readonly [unknown, RegExp])[] = [
  ...['http://a:99999', 'http://[::1', 'http://256.1.1.1', 'http://a\\b', 'http://u@a', 'http://a/b', 'ftp://a'].map(
    (origin) =>
      [
        { name: 'a', capabilities: { http: { origins: [origin] } } },
        /field "capabilities.http.origins.0" must be an origin (such as|that exists)/,
      ] as const,
  ),
  ...['256.1.1.1:1', '1.1.1.1:65536', '[::g]:1', '[1::2::3]:1', 'localhost:1', '127.1:1'].map(
    (address) =>
      [
        { name: 'a', capabilities: { sockets: { connect: [address] } } },
        /field "capabilities.sockets.connect.0" must be an address (such as|that exists)/,
      ] as const,
  ),
  [null, /the manifest must be an object with the fields of a manifest, got null \(null\)/],
  [[], /the manifest must be an object .* got \[\] \(list\)/],
  [{}, /field "name" must be a name of 1 to 64 .*, got nothing/],
  [{ name: 'Upper' }, /field "name" must be a name of 1 to 64 .*, got "Upper" \(string\)/],
  [{ name: '../up' }, /field "name"/],
  [{ name: 'a'.repeat(65) }, /field "name"/],
  [{ name: 'a', modul: 'x' }, /unknown field "modul": expected one of name, module, description/],
  [
    { name: 'a', limits: { timeout: 1 } },
    /unknown field "limits.timeout": expected one of timeoutMs, firstByteMs, cpuMs, units, memoryBytes/,
  ],
  [
    { name: 'a', limits: { timeoutMs: -1 } },
    /field "limits.timeoutMs" must be an integer from 0 to 2147483647, got -1/,
  ],
  [{ name: 'a', limits: { memoryBytes: '1' } }, /field "limits.memoryBytes" must be an integer .*, got "1" \(string\)/],
  [{ name: 'a', limits: { concurrency: 1.5 } }, /field "limits.concurrency" must be an integer .*, got 1.5 \(number\)/],
  [{ name: 'a', allow: { missingImports: 'ignore' } }, /field "allow.missingImports" must be "trap", got "ignore"/],
  [{ name: 'a', allow: { imports: 'trap' } }, /unknown field "allow.imports": expected one of missingImports/],
  [{ name: 'a', strategy: 'magic' }, /field "strategy" must be one of "fresh", "copy", "cow", "auto", got "magic"/],
  [
    { name: 'a', capabilities: { clocks: { kind: 'coarse' } } },
    /field "capabilities.clocks" must be \{"kind": "real"\}/,
  ],
  [{ name: 'a', capabilities: { environment: { 'A=B': '1' } } }, /"capabilities.environment".*got the name "A=B"/],
  [
    { name: 'a', capabilities: { environment: { A: 1 } } },
    /"capabilities.environment.A" must be a text without NUL, got 1/,
  ],
  [{ name: 'a', capabilities: { arguments: ['a\0'] } }, /"capabilities.arguments.0" must be a text without NUL/],
  [{ name: 'a', capabilities: { mounts: [{ guest: '', machine: '.', access: 'read-only' }] } }, /mounts.0" must be/],
  [{ name: 'a', capabilities: { mounts: [{ guest: '/', machine: '.', access: 'all' }] } }, /mounts.0" must be/],
  [
    { name: 'a', init: { allow: ['network'] } },
    /field "init.allow.0" must be "random", "clock" or "mounts", got "network"/,
  ],
  [{ name: 'a', capabilities: { sockets: { connect: ['example.com:80'] } } }, /an address such as "192.0.2.1:5432"/],
  [{ name: 'a', capabilities: { sockets: { listen: [] } } }, /unknown field "capabilities.sockets.listen"/],
  [{ name: 'a', http: { contentType: 'a\r\nSet-Cookie: x' } }, /field "http.contentType" must be a media type/],
  [{ name: 'a', http: { showFailures: 1 } }, /field "http.showFailures" must be a boolean, got 1 \(number\)/],
  [JSON.parse('{"name":"a","__proto__":{"name":"b"}}'), /unknown field "__proto__"/],
];

for (const [manifest, message] of refused) {
  test(`parseManifest() refuses ${JSON.stringify(manifest)?.slice(0, 80)}`, () => {
    assert.throws(() => parseManifest(manifest), { code: 'ERR_NEBULA_MANIFEST_INVALID', message });
  });
}

test('parseManifestText() says what is no JSON', () => {
  assert.throws(() => parseManifestText('{name: 1}'), {
    code: 'ERR_NEBULA_MANIFEST_INVALID',
    message: /Cannot read the manifest: it is not JSON: /,
  });
});
