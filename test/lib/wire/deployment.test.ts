import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeDeployment,
  decodeManifestField,
  encodeDeployment,
  MANIFEST_FIELD,
} from '../../../lib/wire/deployment.ts';

const module = Buffer.from('\0asm\x01\0\0\0');

describe('encodeDeployment()', () => {
  it('sends a module bare, with its manifest in a field', () => {
    const { headers, body } = encodeDeployment({ module, manifest: { name: 'f', description: 'ü' } });
    assert.equal(headers['content-type'], 'application/wasm');
    assert.equal(body, module);
    assert.deepEqual(decodeManifestField(headers[MANIFEST_FIELD]), { name: 'f', description: 'ü' });
  });

  for (const [title, deployment] of [
    ['a long manifest', { module, manifest: { name: 'f', description: 'x'.repeat(5000) } }],
    ['a snapshot', { module, manifest: { name: 'f' }, snapshot: Buffer.from([1, 2, 3]) }],
  ] as const) {
    it(`sends ${title} as JSON, which decodeDeployment() reads`, () => {
      const { headers, body } = encodeDeployment(deployment);
      assert.deepEqual(headers, { 'content-type': 'application/json' });
      assert.deepEqual(decodeDeployment(Buffer.from(body)), deployment);
    });
  }
});

const refuse = (what: string) => (): never => {
  throw new Error(what);
};

describe('decodeDeployment()', () => {
  it('tells what is wrong with the manifest before the module, and with the module before the snapshot', () => {
    const body = Buffer.from(JSON.stringify({ manifest: { name: 'f' }, module: '!', snapshot: '!' }));
    assert.throws(() => decodeDeployment(body, { manifest: refuse('manifest') }), /manifest/);
    assert.throws(() => decodeDeployment(body), { code: 'ERR_NEBULA_MODULE_INVALID' });
    const sound = Buffer.from(JSON.stringify({ module: 'AGFzbQ==', snapshot: '!' }));
    assert.throws(() => decodeDeployment(sound, { module: refuse('module') }), /module/);
    assert.throws(() => decodeDeployment(sound), { code: 'ERR_NEBULA_SNAPSHOT_CORRUPT' });
  });
});

describe('decodeManifestField()', () => {
  it('has no fields where there is no field, and refuses what is no JSON', () => {
    assert.deepEqual(decodeManifestField(undefined), {});
    for (const field of ['%7B', '%', 'x']) {
      assert.throws(() => decodeManifestField(field), { code: 'ERR_NEBULA_MANIFEST_INVALID' });
    }
  });
});
