import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, compileEagerly, validate } from '../../../host/module/compile.ts';
import { MODULE_PREAMBLE } from '../../../host/module/encoding.ts';

const RIGHT = Uint8Array.from(MODULE_PREAMBLE);
/** A type section of one type that begins with 0x61. */
const WRONG = Uint8Array.from([...MODULE_PREAMBLE, 1, 2, 1, 0x61]);

interface Refused {
  readonly key: string;
  readonly fields: { readonly detail: string; readonly offset: number };
  readonly cause: unknown;
}

/** Holds that V8's words are told, without where they come from, behind the name. */
function isRefusal(name: string): (error: unknown) => boolean {
  return (error) => {
    const { key, fields, cause } = error as Refused;
    assert.equal(key, 'MODULE_INVALID');
    assert.ok(fields.detail.startsWith(name), fields.detail);
    assert.match(fields.detail.slice(name.length), /^(?!WebAssembly).*(0x61|97)[^@]*$/);
    assert.equal(fields.offset, 11);
    assert.ok(cause instanceof WebAssembly.CompileError);
    return true;
  };
}

test('validate() tells in V8’s words what is wrong and where', () => {
  validate(RIGHT);
  assert.throws(() => validate(WRONG), isRefusal(''));
  assert.throws(() => validate(WRONG, 'core module 2'), isRefusal('core module 2: '));
});

test('compileEagerly() and compile() give the module, or the same refusal', async () => {
  assert.ok(compileEagerly(RIGHT) instanceof WebAssembly.Module);
  assert.ok((await compile(RIGHT)) instanceof WebAssembly.Module);
  assert.throws(() => compileEagerly(WRONG, 'it'), isRefusal('it: '));
  await assert.rejects(compile(WRONG, 'it'), isRefusal('it: '));
});

test('compile() passes on what is no fault of the bytes', async () => {
  await assert.rejects(compile('text' as unknown as Uint8Array), TypeError);
});
