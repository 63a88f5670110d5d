import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import type { Mount } from '../../../../host/capabilities/mounts/schema.ts';
import { GuestStop, WasiError } from '../../../../host/component/world/guest-stop.ts';
import { Host, withHost } from '../../../../host/component/world/host.ts';
import { createImports } from '../../../../host/component/vm/imports.ts';
import { closeAll, mountAll } from '../../../../host/filesystem/mounts.ts';
import { resolveLimits } from '../../../../host/limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'nebula-extremes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Callable = (...values: readonly unknown[]) => unknown;
type Methods = Readonly<Record<string, Callable>>;

const U64 = [0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
const U32 = [0, 1, 99, 100, 599, 600, 65_535, 0xffff_ffff];
const TEXTS = [
  '',
  '\0',
  'a\0b',
  '/',
  '..',
  '../..',
  '.',
  './',
  'a'.repeat(255),
  'a'.repeat(5000),
  '\ufffd',
  'f/x',
  '__proto__',
];
const TIMES = [
  { tag: 'no-change' },
  { tag: 'now' },
  ...U64.map((seconds) => ({ tag: 'timestamp', val: { seconds, nanoseconds: 999_999_999 } })),
];
const BYTES = [new Uint8Array(), new Uint8Array([0]), new Uint8Array([13, 10]), new Uint8Array(200_000)];

/** Calls with each combination of values and tells what was thrown that is not for the guest to see. */
function faultsOf(name: string, call: Callable, choices: readonly (readonly unknown[])[]): string[] {
  const combinations = choices.reduce<readonly (readonly unknown[])[]>(
    (heads, values) => heads.flatMap((head) => values.map((value) => [...head, value])),
    [[]],
  );
  const faults: string[] = [];
  for (const values of combinations) {
    try {
      call(...values);
    } catch (error) {
      // Only what is too large to be made ends the guest; then nothing more can be asked.
      const isForGuest = error instanceof WasiError || (error instanceof GuestStop && name === 'getRandomBytes');
      if (isForGuest || error instanceof WebAssembly.RuntimeError) continue;
      const given = values.map((value) => (typeof value === 'string' ? value.slice(0, 20) : String(value)));
      faults.push(`${name}(${given.join(', ')}): ${String(error)}`);
    }
  }
  return faults;
}

/** What the world lacks is no answer either. */
function method(target: Methods | undefined, name: string): Callable {
  const found = target?.[name];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return (...values) => found.apply(target, values as unknown[]);
}

function withWorld<T>(mounts: readonly Mount[], run: (world: Readonly<Record<string, Methods>>) => T): T {
  const limits = resolveLimits({ resources: 1_000_000, memoryBytes: 1024 * 1024 });
  const opened = mountAll(mounts, limits);
  const host = new Host({ programName: 'test', limits, capabilities: resolveCapabilities({ mounts }) }, opened);
  host.begin({ input: new Uint8Array(10), arguments: [], environment: {} });
  const packages = [
    'wasi:io',
    'wasi:cli',
    'wasi:clocks',
    'wasi:filesystem',
    'wasi:http',
    'wasi:random',
    'wasi:sockets',
  ];
  try {
    return withHost(host, () => run(createImports(host, packages) as Readonly<Record<string, Methods>>));
  } finally {
    host.end();
    closeAll(opened);
  }
}

const PATH_FLAGS = [{ symlinkFollow: true }, {}];
const MOUNTS: Readonly<Record<string, Mount>> = {
  memory: { guest: '/', files: { f: 'text', 'd/g': '' }, access: 'read-write' },
  machine: { guest: '/', machine: folder, access: 'read-write' },
};

for (const [kind, mount] of Object.entries(MOUNTS)) {
  test(`Descriptor answers every number, time and path of a guest with a value or an error-code (${kind})`, () => {
    writeFileSync(join(folder, 'f'), 'text');
    const faults = withWorld([mount], (world) => {
      const [[root]] = method(world['wasi:filesystem/preopens'], 'getDirectories')() as [[Methods]];
      const open = (path: string): Methods =>
        method(root, 'openAt')({}, path, { create: true }, { read: true, write: true }) as Methods;
      const each = (target: Methods, name: string, ...choices: readonly (readonly unknown[])[]): string[] =>
        faultsOf(name, (...values) => method(target, name)(...values), choices);
      const file = open('f');
      const byPath = ['createDirectoryAt', 'removeDirectoryAt', 'unlinkFileAt', 'readlinkAt'];
      return [
        ...['readViaStream', 'writeViaStream'].flatMap((name) =>
          faultsOf(name, (offset) => use(method(file, name)(offset) as Methods), [U64]),
        ),
        ...each(file, 'advise', U64, U64, ['normal', 'no-reuse']),
        ...each(file, 'read', U64, U64),
        ...each(file, 'write', BYTES, U64),
        ...each(file, 'setSize', U64),
        ...each(file, 'setTimes', TIMES, TIMES),
        ...['stat', 'metadataHash', 'sync', 'syncData', 'getFlags', 'readDirectory'].flatMap((name) =>
          each(file, name),
        ),
        ...each(root, 'setTimesAt', PATH_FLAGS, ['f', ...TEXTS], TIMES, TIMES.slice(0, 3)),
        ...['statAt', 'metadataHashAt'].flatMap((name) => each(root, name, PATH_FLAGS, TEXTS)),
        ...byPath.flatMap((name) => each(root, name, TEXTS)),
        ...each(root, 'symlinkAt', TEXTS, TEXTS),
        ...each(root, 'renameAt', TEXTS, [root, file], TEXTS),
        ...each(root, 'linkAt', PATH_FLAGS, TEXTS, [root, file], TEXTS),
        ...each(root, 'openAt', PATH_FLAGS, TEXTS, [{}, { create: true, truncate: true }, { directory: true }], [{}]),
        ...each(root, 'setSize', U64),
        ...each(root, 'setTimes', TIMES, TIMES),
        ...each(root, 'stat'),
      ];
    });
    assert.deepEqual(faults, []);
  });
}

/** Reads of or writes to a stream, whichever it is. */
function use(stream: Methods): void {
  for (const [name, given] of [
    ['read', 10n],
    ['blockingRead', 10n],
    ['checkWrite', undefined],
    ['write', new Uint8Array(10)],
  ] as const) {
    try {
      stream[name]?.(given);
    } catch (error) {
      if (!(error instanceof WasiError)) throw error;
    }
  }
}

test('clocks, random and streams answer every number of a guest', () => {
  const faults = withWorld([], (world) => {
    const of = (id: string, name: string, ...choices: readonly (readonly unknown[])[]): string[] =>
      faultsOf(name, (...values) => method(world[id], name)(...values), choices);
    const stdin = world['wasi:cli/stdin']?.['getStdin']?.() as Methods;
    const stdout = world['wasi:cli/stdout']?.['getStdout']?.() as Methods;
    const each = (target: Methods, name: string, ...choices: readonly (readonly unknown[])[]): string[] =>
      faultsOf(name, (...values) => method(target, name)(...values), choices);
    return [
      ...of('wasi:clocks/monotonic-clock', 'subscribeInstant', U64),
      ...of('wasi:clocks/monotonic-clock', 'subscribeDuration', U64),
      ...of('wasi:io/poll', 'poll', [[]]),
      ...['read', 'skip', 'blockingRead', 'blockingSkip'].flatMap((name) => each(stdin, name, U64)),
      ...['write', 'blockingWriteAndFlush'].flatMap((name) => each(stdout, name, BYTES)),
      ...['writeZeroes', 'blockingWriteZeroesAndFlush'].flatMap((name) => each(stdout, name, U64)),
      ...['splice', 'blockingSplice'].flatMap((name) => each(stdout, name, [stdin], U64)),
      ...of('wasi:random/random', 'getRandomBytes', U64),
    ];
  });
  assert.deepEqual(faults, []);
});

test('wasi:http answers every text and number of a guest', () => {
  const faults = withWorld([], (world) => {
    const types = world['wasi:http/types'] as unknown as Readonly<Record<string, new (...given: unknown[]) => Methods>>;
    const made = (name: string, ...given: unknown[]): Methods => {
      const type = types[name];
      if (type === undefined) throw new Error(`there is no ${name}`);
      return new type(...given);
    };
    const texts = [...TEXTS, 'a b', 'host', 'content-length', 'a:1@b', '[::1', 'http://x', '?', '#', '\r\n'];
    const each = (target: () => Methods, name: string, ...choices: readonly (readonly unknown[])[]): string[] =>
      faultsOf(name, (...values) => method(target(), name)(...values), choices);
    const fields = (): Methods => made('Fields');
    const request = (): Methods => made('OutgoingRequest', fields());
    const others = [undefined, { tag: 'HTTP' }, { tag: 'get' }, ...texts.map((val) => ({ tag: 'other', val }))];
    const options = made('RequestOptions');
    const handle = world['wasi:http/outgoing-handler']?.['handle'] as Callable;
    return [
      ...['get', 'has', 'delete'].flatMap((name) => each(fields, name, texts)),
      ...each(fields, 'append', texts, BYTES),
      ...each(fields, 'set', texts, [[], BYTES]),
      ...faultsOf('fromList', (entries) => method(types['Fields'] as unknown as Methods, 'fromList')(entries), [
        texts.map((name) => [[name, new Uint8Array()]]),
      ]),
      ...each(request, 'setMethod', others.slice(1)),
      ...each(request, 'setScheme', others),
      ...['setAuthority', 'setPathWithQuery'].flatMap((name) => each(request, name, [undefined, ...texts])),
      ...each(() => made('OutgoingResponse', fields()), 'setStatusCode', U32),
      ...['setConnectTimeout', 'setFirstByteTimeout', 'setBetweenBytesTimeout'].flatMap((name) =>
        each(() => options, name, [undefined, ...U64]),
      ),
      ...faultsOf('handle', (given) => handle(request(), given), [[undefined, options]]),
    ];
  });
  assert.deepEqual(faults, []);
});
