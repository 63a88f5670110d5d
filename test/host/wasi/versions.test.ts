import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKnownVersion, isWasi03 } from '../../../host/wasi/versions.ts';

test('isKnownVersion() takes every release of 0.2, and nothing before, after or beside it', () => {
  for (const version of ['0.2.0', '0.2.3', '0.2.10']) assert.ok(isKnownVersion(version), version);
  for (const version of ['', '0.1.0', '0.2', '0.2.', '0.2.0-rc-2024', '0.20.0', '10.2.0', '0.3.0', '1.0.0']) {
    assert.ok(!isKnownVersion(version), version);
  }
});

test('isWasi03() knows interfaces of WASI 0.3 and its candidates, and no other package of that version', () => {
  for (const name of ['wasi:cli/run@0.3.0', 'wasi:http/handler@0.3.0-rc-2025-09-16', 'wasi:io/poll@0.3']) {
    assert.ok(isWasi03(name), name);
  }
  for (const name of ['wasi:cli/run@0.2.3', 'wasi:cli/run@0.30.0', 'own:cli/run@0.3.0', 'wasi:cli/run']) {
    assert.ok(!isWasi03(name), name);
  }
});
