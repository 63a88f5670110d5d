import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOfBytes } from '../../../host/byte-text.ts';
import { Guest } from './guest.ts';

/** Reads what args_get or environ_get give, the way a libc does. */
function strings(guest: Guest, group: 'args' | 'environ'): string[] {
  const sizes = guest.room(8);
  assert.equal(guest.call(`${group}_sizes_get`, sizes, sizes + 4), 'success');
  const count = guest.u32(sizes);
  const pointers = guest.room(count * 4);
  const buffer = guest.room(guest.u32(sizes + 4));
  assert.equal(guest.call(`${group}_get`, pointers, buffer), 'success');
  return Array.from({ length: count }, (_, i) => {
    const pointer = guest.u32(pointers + i * 4);
    return guest.text(pointer, guest.bytes.indexOf(0, pointer) - pointer);
  });
}

test('args_get gives the program and its arguments as UTF-8, exactly as many bytes as args_sizes_get says', () => {
  const given = ['', 'plain', 'søt 日本 🦀'];
  const guest = new Guest({ call: { arguments: given } });
  assert.deepEqual(strings(guest, 'args'), ['guest', ...given]);
  const sizes = guest.room(8);
  guest.call('args_sizes_get', sizes, sizes + 4);
  assert.equal(guest.u32(sizes + 4), Buffer.byteLength(`guest\0\0plain\0${given[2]}\0`));
  const pointers = guest.room(16);
  guest.call('args_get', pointers, 4096);
  assert.equal(guest.text(4096, 21), 'guest\0\0plain\0søt 日');
  assert.equal(guest.text(4096 + guest.u32(sizes + 4), 3), '???');
});

test('environ_get gives the variables, and success with nothing when there are none', () => {
  const guest = new Guest({ call: { environment: { HOME: '/', ÆØÅ: 'é=ü', EMPTY: '' } } });
  assert.deepEqual(strings(guest, 'environ'), ['HOME=/', 'ÆØÅ=é=ü', 'EMPTY=']);
  guest.begin({ environment: {} });
  const sizes = guest.room(8);
  assert.equal(guest.call('environ_sizes_get', sizes, sizes + 4), 'success');
  assert.deepEqual([guest.u32(sizes), guest.u32(sizes + 4)], [0, 0]);
  const room = guest.room(8);
  assert.equal(guest.call('environ_get', room, room), 'success');
  assert.equal(guest.text(room, 8), '????????');
});

test('begin() gives each invocation its own arguments and variables', () => {
  const guest = new Guest({ call: { arguments: ['one'], environment: { SECRET: 'x' } } });
  guest.begin({ arguments: ['two', 'three'] });
  assert.deepEqual(strings(guest, 'args'), ['guest', 'two', 'three']);
  assert.deepEqual(strings(guest, 'environ'), []);
});

test('environ_get gives bytes that are no UTF-8 as they came', () => {
  const guest = new Guest({ call: { environment: { PATH_INFO: textOfBytes(Buffer.from('/\xff\xc3', 'latin1')) } } });
  const sizes = guest.room(8);
  assert.equal(guest.call('environ_sizes_get', sizes, sizes + 4), 'success');
  assert.equal(guest.u32(sizes + 4), 'PATH_INFO=/'.length + 3);
  const pointers = guest.room(4);
  const buffer = guest.room(guest.u32(sizes + 4));
  assert.equal(guest.call('environ_get', pointers, buffer), 'success');
  const bytes = guest.bytes.subarray(buffer, buffer + guest.u32(sizes + 4));
  assert.equal(Buffer.from(bytes).toString('latin1'), 'PATH_INFO=/\xff\xc3\0');
});
