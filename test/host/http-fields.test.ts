import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  hasContent,
  isConnectionField,
  isFieldValue,
  isForGuest,
  isHostsField,
  isToken,
  isTrailerField,
  mayTellLength,
  parseContentLength,
  trimFieldValue,
} from '../../host/http-fields.ts';

const OCTETS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

describe('isToken()', () => {
  it('takes the characters of RFC 9110 section 5.6.2, and at least one', () => {
    const allowed = OCTETS.filter((octet) => isToken(octet)).join('');
    assert.equal(allowed, "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
    assert.deepEqual(['', 'a b', 'a:', 'a\n', 'é'].map(isToken), [false, false, false, false, false]);
  });
});

describe('isFieldValue()', () => {
  it('takes visible characters and obs-text anywhere, blanks only between them, no control character', () => {
    for (const octet of OCTETS) {
      const code = octet.charCodeAt(0);
      const isVisible = code > 0x20 && code !== 0x7f;
      assert.equal(isFieldValue(octet), isVisible, `alone: ${code}`);
      assert.equal(isFieldValue(`a${octet}b`), isVisible || octet === ' ' || octet === '\t', `between: ${code}`);
    }
    assert.deepEqual([isFieldValue(''), isFieldValue('a\u0100')], [true, false]);
  });

  it('takes whatever is left of a text without its control characters, once it is trimmed', () => {
    const values = fc.string({ unit: fc.constantFrom(...OCTETS), maxLength: 40 });
    fc.assert(
      fc.property(values, (text) => {
        // oxlint-disable-next-line no-control-regex -- the very characters that may not pass
        const isClean = !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text);
        assert.equal(isFieldValue(trimFieldValue(text)), isClean);
      }),
    );
  });
});

describe('parseContentLength()', () => {
  it('takes digits alone', () => {
    for (const refused of ['', ' 2 ', '2 ', '2\t', '+2', '-1', '0x2', '2, 2', '2,2', 'abc', '1e3', '2.0', '٢', '2\n']) {
      assert.equal(parseContentLength(refused), undefined, JSON.stringify(refused));
    }
    assert.deepEqual(['0', '2', '002', '9007199254740991'].map(parseContentLength), [0, 2, 2, 9007199254740991]);
  });

  it('refuses what cannot be counted', () => {
    const refused = ['9007199254740992', '18446744073709551616', '1'.repeat(400)].map(parseContentLength);
    assert.deepEqual(refused, [undefined, undefined, undefined]);
  });
});

const CONNECTION = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'proxy-connection'];

describe('isConnectionField()', () => {
  it('names what is about one connection, proxies included', () => {
    const named = [...CONNECTION, 'proxy-authenticate', 'proxy-authorization', 'http2-settings'];
    assert.deepEqual(named.filter(isConnectionField), named);
    assert.deepEqual(['content-length', 'host', 'expect', 'x-te', 'proxy'].filter(isConnectionField), []);
  });
});

describe('isHostsField()', () => {
  it('adds to those where a request goes', () => {
    assert.deepEqual(['host', 'te', 'content-length', 'cookie'].filter(isHostsField), ['host', 'te']);
  });
});

describe('isForGuest()', () => {
  it('keeps a connection from a guest, and what was answered before it began', () => {
    assert.deepEqual([...CONNECTION, 'expect', 'host', 'content-length', 'accept'].filter(isForGuest), [
      'host',
      'content-length',
      'accept',
    ]);
  });
});

describe('isTrailerField()', () => {
  it('refuses framing, routing, credentials, cookies and how content is read', () => {
    const refused = [...CONNECTION, 'content-length', 'host', 'set-cookie', 'authorization', 'content-type', 'cookie'];
    assert.deepEqual(refused.filter(isTrailerField), []);
    assert.deepEqual(['checksum', 'grpc-status', 'etag', 'server-timing'].filter(isTrailerField).length, 4);
  });
});

describe('hasContent() and mayTellLength()', () => {
  const cases = [
    ['GET', 200, true, true],
    ['POST', 500, true, true],
    ['HEAD', 200, false, true],
    ['GET', 304, false, true],
    ['HEAD', 304, false, true],
    ['GET', 204, false, false],
    ['HEAD', 204, false, false],
    ['GET', 205, false, false],
    ['GET', 101, false, false],
    ['CONNECT', 200, false, false],
    ['CONNECT', 407, true, true],
  ] as const;
  for (const [method, status, content, length] of cases) {
    it(`answer for ${method} and ${status}`, () => {
      assert.deepEqual([hasContent(method, status), mayTellLength(method, status)], [content, length]);
    });
  }
});
