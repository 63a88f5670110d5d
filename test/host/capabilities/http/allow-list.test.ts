import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grantedOrigins } from '../../../../host/capabilities/http/allow-list.ts';

test('grantedOrigins() has each origin in the notation of URLs, without the scheme’s own port', () => {
  const origins = ['https://API.example.com', 'http://a.example:80', 'http://[0:0::1]:8080'];
  assert.deepEqual(
    [...grantedOrigins({ origins })],
    ['https://api.example.com', 'http://a.example', 'http://[::1]:8080'],
  );
});
