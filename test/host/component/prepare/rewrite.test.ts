/** What jco writes for every type of the component model, resources of the guest's own among them, is glue that may run. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentEmbed, componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';
import { ComponentVm } from '../../../../host/component/vm/component-vm.ts';
import { defineComponent } from '../components.ts';

const WIT = `package ns:pkg@1.2.3;
interface api {
  resource counter {
    constructor(start: u32);
    get: func() -> u32;
    add: func(n: s8) -> result<u64, string>;
    make: static func(n: option<string>) -> counter;
    merge: static func(a: counter, b: borrow<counter>) -> list<counter>;
  }
  resource bare;
  resource only-static { open: static func() -> result<only-static>; }
  flags perms { read, write, exec }
  enum color { red, green, blue-ish }
  variant shape { dot, circle(f32), rect(tuple<f64, f64>), named(string), many(list<string>), res(counter) }
  record point { x: s16, y: s32, z: s64, c: char, b: bool, o: option<option<u8>>, r: result<_, color>, p: perms, %type: string }
  numbers: func(a: u8, b: u16, c: u32, d: u64, e: s8, f: s16, g: s32, h: s64, i: f32, j: f64) -> tuple<u8, u16, u32, u64, s8>;
  lists: func(a: list<u8>, b: list<u16>, c: list<s64>, d: list<f32>, e: list<bool>, f: list<char>, g: list<list<u8>>) -> list<point>;
  shapes: func(a: shape, b: point, c: perms, d: color) -> result<shape, point>;
  handles: func(a: borrow<counter>, b: counter, c: option<counter>, d: list<borrow<counter>>) -> result<counter, bare>;
  results: func(a: result, b: result<u32>, c: result<_, string>) -> result;
  nothing: func();
  many: func(a: list<tuple<string, point>>, b: string, c: string, d: string, e: string, f: string, g: string, h: string) -> list<string>;
}
interface other {
  use api.{counter, point};
  g: func(c: borrow<counter>, p: point) -> list<point>;
}
world everything { export api; export other; export top: func(class: string, new: u32) -> list<string>; }`;

test('rewriteComponent() takes the glue of every type, and of resources that a component exports', async () => {
  // Its functions are `unreachable`.
  const core = await componentEmbed({ witSource: WIT, world: 'everything', dummy: true });
  const definition = await defineComponent(new Uint8Array(await componentNew(core, [])));
  assert.deepEqual([...(definition.component.exports ?? [])].sort(), ['ns:pkg/api@1.2.3', 'ns:pkg/other@1.2.3', 'top']);
  const vm = new ComponentVm(definition);
  const asked = { kind: 'function', interface: 'ns:pkg/api@1.2.3', name: 'nothing', arguments: [] } as const;
  const ending = vm.run({ input: new Uint8Array(), arguments: [], environment: {}, component: asked }, 0);
  vm.close();
  assert.deepEqual([ending.kind, 'reason' in ending ? ending.reason : ''], ['trap', 'unreachable']);
});
