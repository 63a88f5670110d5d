import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelOfRequest, SentChannels } from '../../../pools/worker/sent-channels.ts';

const channel = (): SharedArrayBuffer => new SharedArrayBuffer(8);

test('SentChannels gives each channel one number, and the oldest number to another when all are given', () => {
  const sent = new SentChannels();
  const first = channel();
  assert.equal(sent.numberOf(first), undefined);
  assert.deepEqual([sent.add(first), sent.add(first), sent.numberOf(first)], [0, 0, 0]);
  const others = Array.from({ length: 31 }, channel);
  const numbers = others.map((other) => sent.add(other));
  assert.equal(new Set([0, ...numbers]).size, 32);
  const more = channel();
  assert.equal(sent.add(more), 0);
  assert.deepEqual(
    [sent.numberOf(first), sent.numberOf(more), sent.numberOf(others[0] as SharedArrayBuffer)],
    [undefined, 0, 1],
  );
});

test('SentChannels keeps no channel that is larger than two MiB', () => {
  const sent = new SentChannels();
  const [largest, larger] = [2 * 1024 * 1024, 2 * 1024 * 1024 + 4].map((bytes) => new SharedArrayBuffer(bytes));
  assert.deepEqual([sent.add(largest as SharedArrayBuffer), sent.add(larger as SharedArrayBuffer)], [0, undefined]);
  assert.equal(sent.numberOf(larger as SharedArrayBuffer), undefined);
});

test('SentChannels.forget() has a channel that did not get there sent again', () => {
  const sent = new SentChannels();
  const lost = channel();
  sent.add(lost);
  sent.forget(lost);
  sent.forget(lost);
  assert.equal(sent.numberOf(lost), undefined);
  assert.equal(sent.add(lost), 1);
});

test('channelOfRequest() is that of a request whose body is whole, and of nothing else', () => {
  const request = { method: 'GET', scheme: 'http', authority: 'a', pathWithQuery: '/', headers: [] } as const;
  const own = channel();
  const entry = { kind: 'handler', request, channel: own, isStreamed: false } as const;
  assert.equal(channelOfRequest(entry), own);
  assert.equal(channelOfRequest({ ...entry, isStreamed: true }), undefined);
  assert.equal(channelOfRequest({ ...entry, trailers: [['a', 'b']] }), undefined);
  assert.equal(
    channelOfRequest({ kind: 'function', interface: undefined, name: 'f', arguments: [], channel: own }),
    undefined,
  );
  assert.equal(channelOfRequest(undefined), undefined);
});
