/** Channels that are used again. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME, Ring } from '../../../host/component/channel/ring.ts';
import { keepChannel, takeChannel } from '../../../lib/component/kept-channels.ts';

const SMALL_BYTES = 131_072;
const LARGE_BYTES = 1_048_576;

test('takeChannel() takes a kept channel of the size asked for, whatever other sizes are kept', () => {
  const [small, large] = [takeChannel(SMALL_BYTES), takeChannel(LARGE_BYTES)];
  keepChannel(small);
  keepChannel(large);
  assert.equal(takeChannel(SMALL_BYTES), small);
  assert.equal(takeChannel(LARGE_BYTES), large);
});

test('takeChannel() answers a channel as good as new', () => {
  const used = takeChannel(SMALL_BYTES);
  new Ring(used, 'response').write(FRAME.piece, new Uint8Array([1]));
  keepChannel(used);
  assert.equal(takeChannel(SMALL_BYTES), used);
  assert.equal(new Ring(used, 'response').hasFrame(), false);
});

test('keepChannel() gives up the oldest in place of the newest', () => {
  const many = Array.from({ length: 65 }, () => takeChannel(SMALL_BYTES));
  for (const channel of many) keepChannel(channel);
  assert.equal(takeChannel(SMALL_BYTES), many[64]);
  for (let index = 63; index > 0; index--) assert.equal(takeChannel(SMALL_BYTES), many[index]);
  assert.notEqual(takeChannel(SMALL_BYTES), many[0]);
});
