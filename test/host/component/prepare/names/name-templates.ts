/** Components in text with a name in each place that has one, and names that try to be more than that. */

import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';

/** A text as a string literal of WebAssembly's text format, whatever is in it. */
function quoted(text: string): string {
  return `"${[...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}"`;
}

const CORE = '(core module $m (func (export "g") (result i32) (i32.const 3)))';
const INSTANCE = '(core instance $i (instantiate $m))';
const LIFT = '(func $f (result u32) (canon lift (core func $i "g")))';

/** Components by the place of the name; `$` in the name of a place says that the component also runs. */
export const TEMPLATES: Readonly<Record<string, (name: string, other: string) => string>> = {
  'core export': (name) => `(component
    (core module $m (memory (export "memory") 1) (func (export ${quoted(name)}) (result i32) (i32.const 3))) ${INSTANCE}
    (func (export "f") (result u32) (canon lift (core func $i ${quoted(name)}))))`,
  'core export that nobody uses': (name) => `(component
    (core module $m (global (export ${quoted(name)}) i32 (i32.const 1)) (func (export "g") (result i32) (i32.const 3)))
    ${INSTANCE} ${LIFT} (export "f" (func $f)))`,
  'core import': (name) => `(component
    (core module $a (func (export ${quoted(name)}) (result i32) (i32.const 3)))
    (core module $m (import "env" ${quoted(name)} (func $x (result i32))) (func (export "g") (result i32) (call $x)))
    (core instance $ia (instantiate $a)) (core instance $i (instantiate $m (with "env" (instance $ia))))
    ${LIFT} (export "f" (func $f)))`,
  'core import module': (name) => `(component
    (core module $a (func (export "q") (result i32) (i32.const 3)))
    (core module $m (import ${quoted(name)} "q" (func $x (result i32))) (func (export "g") (result i32) (call $x)))
    (core instance $ia (instantiate $a)) (core instance $i (instantiate $m (with ${quoted(name)} (instance $ia))))
    ${LIFT} (export "f" (func $f)))`,
  'core inline export': (name, other) => `(component
    (core module $a (func (export ${quoted(other)}) (result i32) (i32.const 3)))
    (core module $m (import "env" ${quoted(name)} (func $x (result i32))) (func (export "g") (result i32) (call $x)))
    (core instance $ia (instantiate $a)) (alias core export $ia ${quoted(other)} (core func $h))
    (core instance $i (instantiate $m (with "env" (instance (export ${quoted(name)} (func $h))))))
    ${LIFT} (export "f" (func $f)))`,
  'core memory and realloc': (name, other) => `(component
    (core module $m (memory (export ${quoted(name)}) 1)
      (func (export ${quoted(`${other}1`)}) (param i32 i32 i32 i32) (result i32) (i32.const 8))
      (func (export "g") (param i32 i32) (result i32) (i32.add (i32.const 3) (i32.mul (i32.const 0) (local.get 1))))) ${INSTANCE}
    (func (export "f") (param "a" string) (result u32)
      (canon lift (core func $i "g") (memory (core memory $i ${quoted(name)})) (realloc (core func $i ${quoted(`${other}1`)})))))`,
  'core table and global': (name, other) => `(component
    (core module $a (table (export ${quoted(name)}) 1 funcref) (global (export ${quoted(`${other}1`)}) i32 (i32.const 3)))
    (core module $m (import ${quoted(other)} ${quoted(name)} (table 1 funcref))
      (import ${quoted(other)} ${quoted(`${other}1`)} (global $g i32)) (func (export "g") (result i32) (global.get $g)))
    (core instance $ia (instantiate $a)) (core instance $i (instantiate $m (with ${quoted(other)} (instance $ia))))
    ${LIFT} (export "f" (func $f)))`,
  'name section': (name) => `(component
    (core module $m (func (export "g") (result i32) (i32.const 3)) (@custom ${quoted(name)} ${quoted(name)})) ${INSTANCE}
    (@custom ${quoted(name)} ${quoted(name)}) ${LIFT} (export "f" (func $f)))`,
  'nested component': (name, other) => `(component
    (component $c
      (core module $m (func (export ${quoted(name)}) (result i32) (i32.const 3))) ${INSTANCE}
      (func $f (result u32) (canon lift (core func $i ${quoted(name)}))) (export "f" (func $f)))
    (instance $n (instantiate $c)) (core module $unused (func (export ${quoted(other)})))
    (alias export $n "f" (func $f)) (export "f" (func $f)))`,
  'core module type': (name, other) => `(component
    (component $c (import "m" (core module $m (import ${quoted(other)} ${quoted(name)} (func (result i32))) (export "g" (func (result i32)))))
      (core module $a (func (export ${quoted(name)}) (result i32) (i32.const 3))) (core instance $ia (instantiate $a))
      (core instance $i (instantiate $m (with ${quoted(other)} (instance $ia)))) ${LIFT} (export "f" (func $f)))
    (core module $m (import ${quoted(other)} ${quoted(name)} (func $x (result i32))) (func (export "g") (result i32) (call $x)))
    (instance $n (instantiate $c (with "m" (core module $m)))) (alias export $n "f" (func $f)) (export "f" (func $f)))`,
  export: (name) => `(component ${CORE} ${INSTANCE} ${LIFT} (export ${quoted(name)} (func $f)))`,
  'exported instance': (name) => `(component ${CORE} ${INSTANCE} ${LIFT}
    (instance $n (export ${quoted(name)} (func $f))) (export "a:b/c" (instance $n)))`,
  'exported interface': (name) => `(component ${CORE} ${INSTANCE} ${LIFT}
    (instance $n (export "f" (func $f))) (export ${quoted(name)} (instance $n)))`,
  import: (name) => `(component (import ${quoted(name)} (func)) ${CORE} ${INSTANCE} ${LIFT} (export "f" (func $f)))`,
  'imported interface': (name) => `(component (import ${quoted(name)} (instance (export "f" (func))))
    ${CORE} ${INSTANCE} ${LIFT} (export "f" (func $f)))`,
  'imported function': (
    name,
  ) => `(component (import "wasi:random/random@0.2.0" (instance (export ${quoted(name)} (func))))
    ${CORE} ${INSTANCE} ${LIFT} (export "f" (func $f)))`,
  'interface version': (
    name,
  ) => `(component (import ${quoted(`wasi:random/random@0.2.0-${name}`)} (instance (export "f" (func))))
    ${CORE} ${INSTANCE} ${LIFT} (export "f" (func $f)))`,
  parameter: (
    name,
  ) => `(component (core module $m (func (export "g") (param i32) (result i32) (local.get 0))) ${INSTANCE}
    (func (export "f") (param ${quoted(name)} u32) (result u32) (canon lift (core func $i "g"))))`,
  'record field': (
    name,
  ) => `(component (core module $m (func (export "g") (param i32) (result i32) (local.get 0))) ${INSTANCE}
    (type $r' (record (field ${quoted(name)} u32))) (func $f (param "a" $r') (result u32) (canon lift (core func $i "g")))
    (instance $n (export "r" (type $r')) (export "f" (func $f))) (export "a:b/c" (instance $n)))`,
  'variant case': (name) => `(component ${CORE} ${INSTANCE}
    (type $v' (variant (case "a") (case "b") (case "c") (case ${quoted(name)}))) (func $f (result $v') (canon lift (core func $i "g")))
    (instance $n (export "v" (type $v')) (export "f" (func $f))) (export "a:b/c" (instance $n)))`,
  'enum case': (name) => `(component ${CORE} ${INSTANCE}
    (type $e' (enum "a" "b" "c" ${quoted(name)})) (func $f (result $e') (canon lift (core func $i "g")))
    (instance $n (export "e" (type $e')) (export "f" (func $f))) (export "a:b/c" (instance $n)))`,
  flag: (name) => `(component ${CORE} ${INSTANCE}
    (type $g' (flags ${quoted(name)} "b")) (func $f (result $g') (canon lift (core func $i "g")))
    (instance $n (export "g" (type $g')) (export "f" (func $f))) (export "a:b/c" (instance $n)))`,
  resource: (name) => `(component ${CORE} ${INSTANCE} (type $r' (resource (rep i32))) ${LIFT}
    (instance $n (export ${quoted(name)} (type $r')) (export "f" (func $f))) (export "a:b/c" (instance $n)))`,
  method: (name) => `(component (core module $m (func (export "g") (param i32) (result i32) (i32.const 3))) ${INSTANCE}
    (type $r' (resource (rep i32))) 
    (func $f (param "self" (borrow $r')) (result u32) (canon lift (core func $i "g")))
    (component $c (import "r" (type $r (sub resource))) (import "m" (func $m (param "self" (borrow $r)) (result u32)))
      (export $e "r" (type $r))
      (export ${quoted(`[method]r.${name}`)} (func $m) (func (param "self" (borrow $e)) (result u32))))
    (instance $n (instantiate $c (with "r" (type $r')) (with "m" (func $f)))) (export "a:b/c" (instance $n)))`,
  'instantiation argument': (name) => `(component
    (component $c (import ${quoted(name)} (func $x (result u32))) (export "f" (func $x)))
    ${CORE} ${INSTANCE} ${LIFT} (instance $n (instantiate $c (with ${quoted(name)} (func $f))))
    (alias export $n "f" (func $h)) (export "f" (func $h)))`,
};

/** What a name does if it becomes code: it says so in a global of the host and in a file. */
function canary(file: string): readonly string[] {
  const note = `globalThis.nebulaCanary=(globalThis.nebulaCanary??0)+1`;
  const write = `globalThis.process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(file)},'ran')`;
  const reach = `[].constructor.constructor(${JSON.stringify(`${note};${write}`)})()`;
  return [note, write, reach, `(()=>{${note};${write}})()`, `import('node:fs')`];
}

/** Ways out of what text a name may be in. */
const ESCAPES: readonly ((code: string) => string)[] = [
  (code) => `'];${code};//`,
  (code) => `"];${code};//`,
  (code) => `\`];${code};//`,
  (code) => `\\'];${code};//`,
  (code) => `'+${code}+'`,
  (code) => `"+${code}+"`,
  (code) => `\n${code}\n`,
  (code) => `\r${code}`,
  (code) => `\${${code}}`,
  (code) => `\u2028${code}\u2029`,
  (code) => `*/${code}/*`,
  (code) => `--> ${code}`,
  (code) => `<!--${code}`,
  (code) => `]=${code}`,
  (code) => `}};${code};({a:{`,
  (code) => `);${code};(`,
  (code) => `=>${code}`,
  (code) => code,
  (code) => `\0${code}`,
  (code) => `export const _util = {};${code}`,
  (code) => `export function instantiate(){${code}}`,
];

const PLAIN: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'to-string',
  'toString',
  'value-of',
  'then',
  'call',
  'apply',
  'bind',
  '',
  'CONSTRUCTOR',
  'con-structor',
  'default',
  'class',
  'function',
  'eval',
  'arguments',
  'await',
  'this',
  'import',

  '$key',
  '$slot',
  '$values',
  '$given',
  'n0',
  'n1',
  'memory',
  'cabi_realloc',
  'cabi_post_f',
  '_initialize',
  '_start',

  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '\0',
  '\ufeff',
  '\\',
  "'",
  '"',
  '`',
  '/',
  '\u2028',
  '\u{1f600}',
  '-',
  'a-',
  '0',
  '1a',
  'a'.repeat(5000),
  "'".repeat(999),
  'object',
  'map',
  'symbol',
  'promise',
  'error',
  'uint8-array',
  'proxy',
  'name',

  'wasi:io/streams',
  'a:b/c@1.0.0',
  'url=<https://a/%22+x>',
  'locked-dep=<a:b@1.0.0>',
  '[constructor]r',
  '[method]r.f',
];

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** A name of the kinds above. */
export function nameOf(random: () => number, file: string): string {
  const kind = random();
  if (kind < 0.3) return pick(PLAIN, random);
  const escaped = pick(ESCAPES, random)(pick(canary(file), random));
  if (kind < 0.8) return escaped;
  return kind < 0.9 ? `${pick(PLAIN, random)}${escaped}` : `${escaped}${pick(PLAIN, random)}`;
}

/**
 * The component in binary. Where the assembler refuses the name, a harmless one of the same length is assembled and the
 * name is put in its place, so that what reads the binary sees it.
 */
export async function assemble(place: string, name: string, other: string): Promise<Uint8Array> {
  const template = TEMPLATES[place] as (typeof TEMPLATES)[string];
  try {
    return new Uint8Array(await parse(template(name, other)));
  } catch {
    const length = Math.max(1, Buffer.byteLength(name));
    const stand = `q${'z'.repeat(length - 1)}`;
    const bytes = Buffer.from(await parse(template(stand, `${stand}y`)));
    const [from, to] = [Buffer.from(stand), Buffer.from(name === '' ? '\0' : name)];
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length)) bytes.set(to, at);
    return new Uint8Array(bytes);
  }
}
