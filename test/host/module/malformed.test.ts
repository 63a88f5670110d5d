import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNebulaError } from '../../../host/errors.ts';
import { closeImage } from '../../../host/snapshot/image.ts';
import { define, Deployed, guestManifest, guestModule, guestPaths } from '../function.ts';

const TIMEOUT_MS = 40;
const SLOWEST_MS = 5000;

/** A repeatable sequence of numbers below `limit`. Source: Numerical Recipes' linear congruential generator. */
function sequence(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Deploys and runs whatever the bytes are; answers the refusal's key or the outcome's kind. Throws for anything else. */
async function fateOf(path: string, bytes: Uint8Array, describe: string): Promise<string> {
  const startMs = performance.now();
  const { init, entry } = guestManifest(path);
  try {
    const definition = await define(bytes, {
      ...(init === undefined ? {} : { init }),
      ...(entry === undefined ? {} : { entry }),
      strategy: 'copy',
      limits: { timeoutMs: TIMEOUT_MS, memoryBytes: 8 * 1024 * 1024, outputBytes: 65_536 },
    });
    const deployed = new Deployed(definition);
    const { kind } = deployed.run('12\n');
    deployed.settle();
    deployed.vm.close();
    closeImage(deployed.deployment.image);
    return kind;
  } catch (error) {
    if (isNebulaError(error)) return error.key;
    throw new Error(`${path}, ${describe}: neither a refusal nor an outcome`, { cause: error });
  } finally {
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < SLOWEST_MS, `${path}, ${describe}: took ${tookMs} ms`);
  }
}

test('every truncation of a committed guest is refused', async () => {
  const random = sequence(1);
  for (const path of guestPaths()) {
    const bytes = guestModule(path);
    const ends = [0, 1, 4, 7, 8, 9, bytes.length - 1, ...Array.from({ length: 20 }, () => random(bytes.length))];
    for (const end of ends) {
      const fate = await fateOf(path, bytes.slice(0, end), `cut at ${end}`);
      // Cut between two of its last sections, a module may still be one.
      assert.match(fate, /^(MODULE_INVALID|NO_ENTRY|ok|exit|trap|limit|timeout|INIT_FAILED)$/, `${path} cut at ${end}`);
      if (end < bytes.length / 2) assert.match(fate, /^(MODULE_INVALID|MODULE_COMPLEX|NO_ENTRY)$/);
    }
  }
});

test('every byte flip of a committed guest is a typed refusal or an outcome, in time', async () => {
  const random = sequence(2);
  const fates = new Map<string, number>();
  const paths = guestPaths();
  const endMs = performance.now() + 40_000;
  let flips = 0;
  for (let round = 0; round < 24; round++) {
    for (const path of paths) {
      if (performance.now() > endMs) break;
      const bytes = guestModule(path);
      // The first kilobytes hold types, imports, globals and exports: half of the flips go there.
      const at = random(2) === 0 ? random(Math.min(3000, bytes.length)) : random(bytes.length);
      const bit = 1 << random(8);
      bytes[at] = (bytes[at] as number) ^ bit;
      const fate = await fateOf(path, bytes, `bit ${bit} of byte ${at}`);
      fates.set(fate, (fates.get(fate) ?? 0) + 1);
      flips++;
    }
  }
  assert.ok(flips >= paths.length, `${flips} flips`);
  assert.ok((fates.get('MODULE_INVALID') ?? 0) > 0 && (fates.get('ok') ?? 0) > 0, JSON.stringify([...fates]));
});

test('a module of random bytes behind a valid header is refused', async () => {
  const random = sequence(3);
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from({ length: 8 + random(200) }, () => random(256));
    bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    // A plausible section id lets the reader get further.
    if (bytes.length > 9) bytes[8] = random(14);
    assert.match(
      await fateOf('noop', bytes, `round ${round}`),
      /^(MODULE_INVALID|MODULE_COMPLEX|MODULE_UNSUPPORTED|NO_ENTRY)$/,
    );
  }
});

test('counts that the file cannot hold are refused without being believed', async () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  for (let id = 1; id <= 13; id++) {
    const bytes = Uint8Array.from([...header, id, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    const before = process.memoryUsage().rss;
    assert.match(await fateOf('noop', bytes, `section ${id}`), /^(MODULE_INVALID|MODULE_COMPLEX|NO_ENTRY)$/);
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024, `section ${id}`);
  }
});
