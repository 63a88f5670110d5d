import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { callIn, defineComponent } from '../components.ts';

/** Uses handles of the resource that an interface of WASI has, and of one of its own. */
const HANDLES = `(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p'))
    (export "pollable" (type $p (eq $p')))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (type $own (resource (rep i32)))
  (core module $memory 
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x100)))
  (core instance $mem (instantiate $memory))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $ready (canon lower (func $poll "[method]pollable.ready")))
  (core func $poll-all (canon lower (func $poll "poll")
    (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
  (core func $drop (canon resource.drop $pollable))
  (core func $new-own (canon resource.new $own))
  (core func $drop-own (canon resource.drop $own))
  (core module $main
    (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "h" "ready" (func $ready (param i32) (result i32)))
    (import "h" "poll" (func $poll (param i32 i32 i32)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "new-own" (func $new-own (param i32) (result i32)))
    (import "h" "drop-own" (func $drop-own (param i32)))
    (func (export "use") (param i32) (result i32) (call $ready (local.get 0)))
    (func (export "drop") (param i32) (result i32) (call $drop (local.get 0)) (i32.const 0))
    (func (export "drop-own") (param i32) (result i32) (call $drop-own (local.get 0)) (i32.const 0))
    (func (export "poll") (param i32) (result i32)
      (call $poll (i32.const 0x8000) (local.get 0) (i32.const 0x9000)) (i32.const 0))
    (func (export "twice") (param i32) (result i32)
      (local $it i32)
      (local.set $it (call $subscribe (i64.const 0)))
      (call $drop (local.get $it))
      (call $drop (local.get $it)) (i32.const 0))
    (func (export "churn") (param i32) (result i32)
      (loop
        (call $drop (call $subscribe (i64.const 0)))
        (call $drop-own (call $new-own (local.get 0)))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (i32.const 7))
    (func (export "keep") (param i32) (result i32)
      (loop
        (drop (call $new-own (local.get 0)))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (i32.const 7)))
  (core instance $i (instantiate $main (with "h" (instance
    (export "subscribe" (func $subscribe)) (export "ready" (func $ready)) (export "poll" (func $poll-all))
    (export "drop" (func $drop)) (export "new-own" (func $new-own)) (export "drop-own" (func $drop-own))))))
  ${['use', 'drop', 'drop-own', 'poll', 'twice', 'churn', 'keep']
    .map((name) => `(func (export "${name}") (param "n" u32) (result u32) (canon lift (core func $i "${name}")))`)
    .join('\n')})`;

test('unknownHandle() and requireHandle() trap for handles that the guest has not', async () => {
  const definition = await defineComponent(await parse(HANDLES));
  const cases = [
    ['use', 0],
    ['use', 1],
    ['use', 0xffff_ffff],
    ['poll', 3],
    ['drop', 0],
    ['drop', 12_345],
    ['drop', 0xffff_ffff],
    ['drop-own', 1],
    ['drop-own', 0x3fff_ffff],
    ['twice', 0],
  ] as const;
  for (const [name, handle] of cases) {
    const { ending } = callIn(definition, name, handle);
    assert.equal(ending.kind, 'trap', `${name} ${handle}: ${JSON.stringify(ending)}`);
  }
});

test('countHandle() holds a component to limits.resources, its own included, and lets it make and drop any number', async () => {
  const definition = await defineComponent(await parse(HANDLES), { limits: { resources: 100 } });
  assert.deepEqual(callIn(definition, 'churn', 1000).result, { kind: 'value', value: 7 });
  assert.deepEqual(callIn(definition, 'keep', 100).result, { kind: 'value', value: 7 });
  assert.deepEqual(callIn(definition, 'keep', 101).ending, { kind: 'limit', limit: 'resources', allowed: 100 });
});

test('begin() counts the arguments of each host function from nothing, also of those that fail', async () => {
  // Each call has a name of 60,000 bytes, which is none; together they are more than the memory may be.
  const text = `(component
    (import "wasi:http/types@0.2.0" (instance $types (export "fields" (type $f (sub resource)))
      (type $fe' (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
      (export "header-error" (type $fe (eq $fe')))
      (export "[constructor]fields" (func (result (own $f))))
      (export "[method]fields.delete" (func (param "self" (borrow $f)) (param "name" string)
        (result (result (error $fe)))))))
    (core module $memory (memory (export "memory") 16))
    (core instance $mem (instantiate $memory))
    (core func $new (canon lower (func $types "[constructor]fields")))
    (core func $delete (canon lower (func $types "[method]fields.delete") (memory (core memory $mem "memory"))))
    (core module $main
      (import "h" "new" (func $new (result i32)))
      (import "h" "delete" (func $delete (param i32 i32 i32 i32)))
      (func (export "f") (param $n i32) (result i32)
        (local $fields i32)
        (local.set $fields (call $new))
        (loop
          (call $delete (local.get $fields) (i32.const 0) (i32.const 60000) (i32.const 0x10000))
          (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.const 7)))
    (core instance $i (instantiate $main (with "h" (instance (export "new" (func $new)) (export "delete" (func $delete))))))
    (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))`;
  const definition = await defineComponent(await parse(text), { limits: { memoryBytes: 1024 * 1024 } });
  assert.deepEqual(callIn(definition, 'f', 100).result, { kind: 'value', value: 7 });
});

test('countArgument() ends a guest whose argument would take much more of the host than of its memory', async () => {
  // A million lists of no bytes, in 8 MiB of memory.
  const text = `(component
    (import "wasi:http/types@0.2.0" (instance $types (export "fields" (type $f (sub resource)))
      (type $fe' (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
      (export "header-error" (type $fe (eq $fe')))
      (export "[static]fields.from-list" (func (param "entries" (list (tuple string (list u8))))
        (result (result (own $f) (error $fe)))))))
    (core module $memory (memory (export "memory") 128))
    (core instance $mem (instantiate $memory))
    (core func $from (canon lower (func $types "[static]fields.from-list") (memory (core memory $mem "memory"))))
    (core module $main
      (import "h" "from" (func $from (param i32 i32 i32)))
      (func (export "f") (param $n i32) (result i32)
        (call $from (i32.const 16) (local.get $n) (i32.const 0))
        (i32.const 7)))
    (core instance $i (instantiate $main (with "h" (instance (export "from" (func $from))))))
    (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))`;
  const memoryBytes = 8 * 1024 * 1024;
  const definition = await defineComponent(await parse(text), { limits: { memoryBytes } });
  assert.deepEqual(callIn(definition, 'f', 10).result, { kind: 'value', value: 7 });
  assert.deepEqual(callIn(definition, 'f', 500_000).ending, {
    kind: 'limit',
    limit: 'memoryBytes',
    allowed: memoryBytes,
  });
});
