import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { request } from 'undici';
import { dozeModule } from '../../../bench/waits/doze.ts';
import { residentBytes } from '../../../bench/waits/memory.ts';
import { bareProxy, nebulaProxy, startUpstream, type ProxyKind } from '../../../bench/waits/proxies.ts';
import { Spinner } from '../../../bench/waits/spinner.ts';
import type { Server } from '../../../bench/subjects/servers.ts';

let folder: string;
let upstream: Server;
let origin: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-waits-'));
  upstream = await startUpstream();
  origin = new URL(upstream.url).origin;
});
after(async () => {
  await upstream.close();
  await rm(folder, { recursive: true });
});

async function passesOn(kind: ProxyKind): Promise<void> {
  const proxy = await kind.start(origin);
  assert.ok(proxy !== undefined);
  try {
    const startMs = performance.now();
    const { statusCode, body } = await request(proxy.origin + proxy.path(300));
    assert.equal(statusCode, 200);
    assert.equal(await body.text(), 'x');
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= 290, `${tookMs} ms: it did not ask the upstream`);
    assert.ok((residentBytes(proxy.pid) ?? 1e9) > 1e6);
  } finally {
    await proxy.close();
  }
}

test('bareProxy passes on what the upstream answers, when it does', () => passesOn(bareProxy));

test('nebulaProxy() passes on what the upstream answers, when it does', () => passesOn(nebulaProxy('nebula', folder)));

test('nebulaProxy() has a guest that sleeps, and one that a Spinner finds ended by its deadline', async () => {
  const proxy = await nebulaProxy('guests', folder, 1).start(origin);
  assert.ok(proxy !== undefined);
  try {
    const spinner = await Spinner.start(proxy);
    const { statusCode } = await request(`${proxy.origin}/invoke/doze`, { method: 'POST' });
    assert.equal(statusCode, 200);
    await spinner.stop();
  } finally {
    await proxy.close();
  }
});

test('dozeModule() sleeps as long as it was made for, in one page', async () => {
  const module = await WebAssembly.compile(Uint8Array.from(await dozeModule(2000)));
  let asked: unknown;
  const wasi = {
    poll_oneoff: (subscriptions: number, _events: number, count: number): number => {
      const view = new DataView(memory.buffer, subscriptions);
      const [tag, clock, flags] = [view.getUint8(8), view.getUint32(16, true), view.getUint16(40, true)];
      asked = { count, tag, clock, flags, timeoutNs: view.getBigUint64(24, true) };
      return 0;
    },
  };
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi });
  const memory = exports['memory'] as WebAssembly.Memory;
  (exports['_start'] as () => void)();
  assert.deepEqual(asked, { count: 1, tag: 0, clock: 1, flags: 0, timeoutNs: 2_000_000_000n });
  assert.equal(memory.buffer.byteLength, 65_536);
});
