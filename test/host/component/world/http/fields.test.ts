import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveCapabilities } from '../../../../../host/capabilities/capabilities.ts';
import { Host, withHost } from '../../../../../host/component/world/host.ts';
import { Fields } from '../../../../../host/component/world/http/fields.ts';
import { resolveLimits } from '../../../../../host/limits.ts';

function newHost(): Host {
  const options = { programName: 'test', limits: resolveLimits({ resources: 3 }), capabilities: resolveCapabilities() };
  return new Host(options, []);
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** What each way to set a field says of it: `ok`, or the header-error. */
function saysOf(name: string, value: string): string[] {
  const ways: readonly (() => unknown)[] = [
    () => new Fields().append(name, bytes(value)),
    () => new Fields().set(name, [bytes(value)]),
    () => Fields.fromList([[name, bytes(value)]]),
  ];
  return ways.map((way) =>
    withHost(newHost(), () => {
      try {
        way();
        return 'ok';
      } catch (error) {
        return (error as { readonly payload: { readonly tag: string } }).payload.tag;
      }
    }),
  );
}

const isForbidden = (error: unknown): boolean =>
  (error as { readonly payload: { readonly tag: string } }).payload.tag === 'forbidden';

describe('Fields', () => {
  const refused = [
    ['x a', 'b'],
    ['', 'b'],
    ['x:', 'b'],
    ['x-a', ' b'],
    ['x-a', 'b\t'],
    ['x-a', 'a\x01b'],
    ['x-a', 'a\x7f'],
    ['x-a', 'a\r\nx: y'],
    ['x-a', 'a\0'],
    ['content-length', ' 2 '],
    ['Content-Length', '+2'],
    ['content-length', '0x2'],
    ['content-length', '2, 2'],
    ['content-length', '-1'],
    ['content-length', ''],
    ['content-length', '99999999999999999999'],
  ] as const;
  for (const [name, value] of refused) {
    it(`refuses the syntax of ${JSON.stringify([name, value])}, however it is set`, () => {
      assert.deepEqual(saysOf(name, value), ['invalid-syntax', 'invalid-syntax', 'invalid-syntax']);
    });
  }

  it('forbids what is about the connection or the target', () => {
    for (const name of [
      'Transfer-Encoding',
      'connection',
      'TE',
      'trailer',
      'upgrade',
      'keep-alive',
      'host',
      'Proxy-X',
    ]) {
      assert.deepEqual(saysOf(name, 'x'), ['forbidden', 'forbidden', 'forbidden'], name);
    }
  });

  it('takes tabs and spaces within a value, bytes above 127, and an empty value', () => {
    for (const value of ['a \t b', '\xe9', '']) assert.deepEqual(saysOf('x-a', value), ['ok', 'ok', 'ok']);
  });

  it('append() and set() take one Content-Length', () => {
    withHost(newHost(), () => {
      const fields = new Fields();
      fields.append('content-length', bytes('2'));
      assert.throws(() => fields.append('Content-Length', bytes('2')), { payload: { tag: 'invalid-syntax' } });
      assert.throws(() => fields.set('content-length', [bytes('2'), bytes('2')]), {
        payload: { tag: 'invalid-syntax' },
      });
      fields.set('content-length', [bytes('3')]);
      assert.equal(fields.contentLength, 3);
    });
  });

  it('fromList() that fails leaves nothing counted against the limit', () => {
    withHost(newHost(), () => {
      for (let round = 0; round < 10; round++) assert.throws(() => Fields.fromList([['a b', bytes('')]]));
    });
  });

  it('clone() remembers how large the list is, and counts on its own from there', () => {
    withHost(newHost(), () => {
      const half = new Uint8Array(64 * 1024 - 1).fill(0x61);
      const fields = Fields.fromList([['a', half]]);
      const copy = fields.clone();
      copy.append('b', half);
      assert.throws(() => copy.clone().append('c', new Uint8Array()), isForbidden);
      // What the copy took does not count for the list it was made of.
      fields.append('c', half);
      copy.delete('a');
      copy.append('d', half);
      assert.deepEqual(
        copy.entries().map(([name]) => name),
        ['b', 'd'],
      );
    });
  });

  it('toList() sends nothing on of a connection that headers were received over, nor a length that is none', () => {
    withHost(newHost(), () => {
      const received = Fields.received([
        ['host', 'a'],
        ['Connection', 'close'],
        ['transfer-encoding', 'chunked'],
        ['content-length', '1, 1'],
        ['x-a', 'b'],
      ]);
      assert.deepEqual(
        received.entries().map(([name]) => name),
        ['host', 'content-length', 'x-a'],
      );
      const sent = received.clone();
      assert.deepEqual([sent.toList(), sent.contentLength], [[['x-a', 'b']], undefined]);
    });
  });
});
