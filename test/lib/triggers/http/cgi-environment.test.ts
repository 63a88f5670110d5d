import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { bytesOfText } from '../../../../host/byte-text.ts';
import { cgiEnvironment, parseFunctionPath } from '../../../../lib/triggers/http/cgi-environment.ts';
import { NO_BYTES } from '../../../../host/bytes.ts';
import type { Exchange } from '../../../../lib/triggers/http/exchange.ts';
import { targetOfUrl } from '../../../../lib/triggers/http/request-target.ts';

function exchangeOf(url: string, headers: Readonly<Record<string, string>> = {}): Exchange {
  return {
    method: 'POST',
    target: targetOfUrl(url),
    protocol: 'HTTP/1.0',
    remoteAddress: '192.0.2.1',
    localAddress: '192.0.2.2',
    signal: new AbortController().signal,
    requestId: 'test',
    redirects: 0,
    hasBody: false,
    header: (name) => headers[name],
    headers: () => Object.entries(headers),
    readBody: () => Promise.resolve(NO_BYTES),
    bodyStream: async function* () {},
  };
}

describe('cgiEnvironment()', () => {
  it('has every variable that RFC 3875 requires', () => {
    const headers = { 'content-type': 'a/b', 'content-length': '4', accept: '*/*' };
    const environment = cgiEnvironment(
      exchangeOf('http://h.example:81/fn/f/p?q', headers),
      { name: 'f', pathInfo: '/p' },
      4,
    );
    assert.deepEqual(environment, {
      CONTENT_LENGTH: '4',
      CONTENT_TYPE: 'a/b',
      GATEWAY_INTERFACE: 'CGI/1.1',
      HTTP_ACCEPT: '*/*',
      PATH_INFO: '/p',
      QUERY_STRING: 'q',
      REDIRECT_STATUS: '200',
      REMOTE_ADDR: '192.0.2.1',
      REMOTE_HOST: '192.0.2.1',
      REQUEST_METHOD: 'POST',
      REQUEST_SCHEME: 'http',
      REQUEST_URI: '/fn/f/p?q',
      SCRIPT_NAME: '/fn/f',
      SERVER_NAME: 'h.example',
      SERVER_PORT: '81',
      SERVER_PROTOCOL: 'HTTP/1.0',
      SERVER_SOFTWARE: 'Nebula',
    });
  });

  it('says the usual port where the URL names none', () => {
    assert.equal(cgiEnvironment(exchangeOf('http://h/'), { name: 'f', pathInfo: '' }, 0)['SERVER_PORT'], '80');
    assert.equal(cgiEnvironment(exchangeOf('https://h/'), { name: 'f', pathInfo: '' }, 0)['SERVER_PORT'], '443');
  });

  it('says HTTPS where the scheme is', () => {
    const secure = cgiEnvironment(exchangeOf('https://h/'), { name: 'f', pathInfo: '' }, 0);
    assert.deepEqual([secure['HTTPS'], secure['REQUEST_SCHEME']], ['on', 'https']);
    assert.ok(!('HTTPS' in cgiEnvironment(exchangeOf('http://h/'), { name: 'f', pathInfo: '' }, 0)));
  });

  it('tells credentials only where it is told to', () => {
    const exchange = exchangeOf('http://h/', { authorization: 'Basic eA==', 'proxy-authorization': 'x' });
    const path = { name: 'f', pathInfo: '' };
    const environment = cgiEnvironment(exchange, path, 0, { authorization: true });
    assert.equal(environment['HTTP_AUTHORIZATION'], 'Basic eA==');
    assert.ok(!('HTTP_PROXY_AUTHORIZATION' in environment));
    assert.ok(!('HTTP_AUTHORIZATION' in cgiEnvironment(exchange, path, 0)));
  });

  it('keeps proxies, credentials and the connection to itself', () => {
    const headers = {
      proxy: 'p',
      authorization: 'Bearer x',
      'proxy-authorization': 'x',
      connection: 'close',
      x_y: '1',
      'transfer-encoding': 'x',
    };
    const names = Object.keys(cgiEnvironment(exchangeOf('http://h/', headers), { name: 'f', pathInfo: '' }, 0));
    assert.deepEqual(
      names.filter((name) => name.startsWith('HTTP_')),
      [],
    );
    assert.ok(!names.includes('CONTENT_LENGTH'));
  });

  it('reads header bytes as UTF-8 where they are, and as Latin-1 where they are not', () => {
    const environment = cgiEnvironment(
      exchangeOf('http://h/', { a: '\xc3\xbc', b: '\xfc' }),
      { name: 'f', pathInfo: '' },
      0,
    );
    assert.equal(environment['HTTP_A'], 'ü');
    assert.equal(environment['HTTP_B'], 'ü');
  });
});

describe('parseFunctionPath()', () => {
  for (const [rest, expected] of [
    ['f', { name: 'f', pathInfo: '' }],
    ['f/', { name: 'f', pathInfo: '/' }],
    ['f/a%2Fb%20c', { name: 'f', pathInfo: '/a/b c' }],
    ['%66/x', { name: 'f', pathInfo: '/x' }],
    ['', undefined],
    ['/x', undefined],
    ['f/%', undefined],
    ['f/%00', undefined],
    ['f/%zz', undefined],
    ['f/%2', undefined],
    ['f/%FFx%C3%BC%e2%82', { name: 'f', pathInfo: '/\udcffxü\udce2\udc82' }],
    ['f/a\'b"<\\>', { name: 'f', pathInfo: '/a\'b"<\\>' }],
    ['f/%5C%27', { name: 'f', pathInfo: "/\\'" }],
  ] as const) {
    it(`reads ${JSON.stringify(rest)}`, () => assert.deepEqual(parseFunctionPath(rest), expected));
  }

  it('gives back every byte that was percent-encoded', () => {
    const byte = fc.integer({ min: 1, max: 255 });
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 40 }), (bytes) => {
        const rest = `f/${bytes.map((each) => `%${each.toString(16).padStart(2, '0')}`).join('')}`;
        const { pathInfo = '' } = parseFunctionPath(rest) ?? {};
        assert.deepEqual([...bytesOfText(pathInfo)], [0x2f, ...bytes]);
      }),
    );
  });
});
