import assert from 'node:assert/strict';
import { fstatSync } from 'node:fs';
import { test } from 'node:test';
import { hasCow, memfdCreate } from '../../../host/linux/memory.ts';
import type { SnapshotImage } from '../../../host/snapshot/image.ts';
import type { Call } from '../../../pools/worker/call.ts';
import type { Installation } from '../../../pools/worker/messages.ts';
import type { InvocationQueue } from '../../../pools/worker/queue.ts';
import type { Unit } from '../../../pools/worker/unit.ts';
import { leaveThreads, Versions } from '../../../pools/worker/versions.ts';

const support = hasCow();
const skip = support.ok ? false : support.reason;

/** A queue in which these versions have invocations. */
class Busy {
  readonly ids: Set<string> = new Set();

  isIdle(id: string): boolean {
    return !this.ids.has(id);
  }
}

function versionsOver(busy: Busy): Versions {
  return new Versions(busy as unknown as InvocationQueue<Call>);
}

const installationOf = (id: string, memfd = -1): Installation =>
  ({ definition: { id }, image: { memfd } as SnapshotImage, strategy: 'cow' }) as Installation;

const unitWith = (...ids: readonly string[]): Unit<Call> =>
  ({ installed: new Set(ids), leaving: [] }) as unknown as Unit<Call>;

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

test('Versions.remove() takes an idle version off at once, and once', async () => {
  const versions = versionsOver(new Busy());
  const installation = installationOf('a');
  versions.add(installation);
  assert.equal(versions.isServed('a'), true);
  assert.equal(versions.get('a'), installation);
  assert.deepEqual(await Promise.all([versions.remove('a'), versions.remove('a')]), [installation, undefined]);
  assert.equal(versions.isServed('a'), false);
  assert.equal(versions.get('a'), undefined);
  assert.equal(await versions.remove('a'), undefined);
  assert.equal(await versions.remove('b'), undefined);
});

test('Versions.remove() waits for the last invocation, and serves no more meanwhile', async () => {
  const busy = new Busy();
  const versions = versionsOver(busy);
  versions.add(installationOf('a'));
  versions.add(installationOf('b'));
  busy.ids.add('a').add('b');
  const removed: string[] = [];
  const removal = versions.remove('a').then(() => removed.push('a'));
  const second = versions.remove('a').then((installation) => assert.equal(installation, undefined));
  assert.equal(versions.isServed('a'), false);
  assert.equal(versions.isServed('b'), true);
  versions.ended('a');
  await new Promise(setImmediate);
  assert.deepEqual(removed, [], 'one of its invocations has not ended');
  busy.ids.delete('b');
  versions.ended('b');
  await new Promise(setImmediate);
  assert.deepEqual(removed, [], 'another version is idle');
  busy.ids.delete('a');
  versions.ended('a');
  await Promise.all([removal, second]);
  assert.deepEqual(removed, ['a']);
});

test('Versions.release() lets go of what waits to be taken off', async () => {
  const busy = new Busy();
  const versions = versionsOver(busy);
  const installation = installationOf('a');
  versions.add(installation);
  busy.ids.add('a');
  const removal = versions.remove('a');
  versions.release();
  assert.equal(await removal, installation);
});

test('Versions.close() closes every image and keeps none', { skip }, () => {
  const versions = versionsOver(new Busy());
  const fds = [memfdCreate('test-a'), memfdCreate('test-b')];
  fds.forEach((fd, index) => versions.add(installationOf(`v${index}`, fd)));
  versions.close();
  assert.deepEqual(fds.map(isOpen), [false, false]);
  assert.equal(versions.isServed('v0'), false);
});

test('leaveThreads() closes the image once no thread has it, and at once where none had', { skip }, () => {
  const fd = memfdCreate('test');
  const units = [unitWith('a', 'b'), unitWith('b'), unitWith('a')];
  leaveThreads(units, installationOf('a', fd));
  assert.deepEqual(
    units.map(({ installed, leaving }) => [[...installed], leaving.map(({ id }) => id)]),
    [
      [['b'], ['a']],
      [['b'], []],
      [[], ['a']],
    ],
  );
  units[2]?.leaving[0]?.done();
  assert.equal(isOpen(fd), true);
  units[0]?.leaving[0]?.done();
  assert.equal(isOpen(fd), false);
  const unheld = memfdCreate('test');
  leaveThreads(units, installationOf('a', unheld));
  assert.equal(isOpen(unheld), false);
});
