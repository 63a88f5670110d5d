import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  MalformedRequest,
  parseAuthority,
  parseHostFields,
  parseRequestTarget,
  portOf,
  targetOfUrl,
  type Authority,
  type RequestTarget,
} from '../../../../lib/triggers/http/request-target.ts';

const HOST: Authority = { text: 'h:81', hostname: 'h', port: '81' };

function parse(target: string, method = 'GET'): RequestTarget {
  return parseRequestTarget(method, target, 'http', HOST);
}

describe('parseRequestTarget()', () => {
  for (const [target, path, query] of [
    ['/', '/', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['/a?', '/a', ''],
    ['//a//b', '//a//b', ''],
    ['/fn/f/?sig=\'a\'&q="<x>"', '/fn/f/', 'sig=\'a\'&q="<x>"'],
    ['/fn\\..\\functions', '/fn\\..\\functions', ''],
    ['/%FF%5c%e4/[1]{}|^`?%FF', '/%FF%5c%e4/[1]{}|^`', '%FF'],
    ['/a/..b/.c/d./...', '/a/..b/.c/d./...', ''],
    ['/a/%252e%252e/b', '/a/%252e%252e/b', ''],
    ['/a?../..', '/a', '../..'],
    ['/invoke/..%2Fa%2f..', '/invoke/..%2Fa%2f..', ''],
  ] as const) {
    it(`keeps ${target} as it was sent`, () => {
      const located = parse(target);
      assert.deepEqual([located.path, located.query, located.pathWithQuery], [path, query, target]);
      assert.deepEqual([located.authority, located.scheme, located.isAbsolute], [HOST, 'http', false]);
    });
  }

  for (const target of [
    '/fn/../functions/x',
    '/fn/./x',
    '/..',
    '/.',
    '/fn/%2e%2e/functions',
    '/fn/%2E%2e/functions',
    '/fn/.%2E/functions',
    '/fn/%2e',
    'http://h/fn/../functions',
  ]) {
    it(`refuses the dot segment in ${target}`, () => {
      assert.throws(
        () => parse(target),
        (error) => error instanceof MalformedRequest && /"\." and "\.\."/.test(error.message),
      );
    });
  }

  for (const target of [
    '',
    'a',
    'h:80',
    '/a b',
    '/a\tb',
    '/\x7f',
    '/\xfc',
    '/a#b',
    'ftp://h/',
    'http:///p',
    'http://u@h/',
    'http://h:99999/',
    'http://a b/',
    '*x',
  ]) {
    it(`refuses ${JSON.stringify(target)}`, () => {
      assert.throws(() => parse(target), MalformedRequest);
    });
  }

  it('takes the absolute form, whose authority is in force', () => {
    const { authority, path, query, pathWithQuery, scheme, isAbsolute } = parse('HTTPS://Other.Example:8443/a?b');
    assert.deepEqual(authority, { text: 'Other.Example:8443', hostname: 'other.example', port: '8443' });
    assert.deepEqual([path, query, pathWithQuery, scheme, isAbsolute], ['/a', 'b', '/a?b', 'https', true]);
    assert.equal(parse('http://h').pathWithQuery, '/');
    assert.equal(parse('http://h?a').pathWithQuery, '/?a');
  });

  it('takes the asterisk form for OPTIONS alone', () => {
    assert.equal(parse('*', 'OPTIONS').path, '*');
    assert.equal(parse('http://h', 'OPTIONS').path, '*');
    assert.equal(parse('http://h/', 'OPTIONS').path, '/');
    assert.throws(() => parse('*'), MalformedRequest);
  });

  it('answers a target as it was sent, or refuses it', () => {
    const pieces = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2E',
      '%2F',
      '\\',
      'a',
      '?',
      '%',
      '#',
      '*',
      'http://',
      ':',
      "'",
    );
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 10 }).map((each) => each.join('')),
        (target) => {
          let located: RequestTarget;
          try {
            located = parse(target);
          } catch (error) {
            assert.ok(error instanceof MalformedRequest);
            return;
          }
          assert.ok(target.endsWith(located.isAbsolute ? located.pathWithQuery.slice(1) : located.pathWithQuery));
          // Nothing that resolves the path finds another one.
          const segments = located.path.replace(/%2e/gi, '.').split('/');
          assert.ok(!segments.includes('.') && !segments.includes('..'), target);
        },
      ),
    );
  });
});

describe('targetOfUrl()', () => {
  it('is the text after the authority, without a fragment', () => {
    const { pathWithQuery, authority, scheme } = targetOfUrl("https://h:1/a'b?c#d?e");
    assert.deepEqual([pathWithQuery, authority.text, scheme], ["/a'b?c", 'h:1', 'https']);
  });
});

describe('parseAuthority()', () => {
  for (const [text, hostname, port] of [
    ['h', 'h', ''],
    ['H.Example:80', 'h.example', '80'],
    ['h:', 'h', ''],
    ['a_b-c.d', 'a_b-c.d', ''],
    ['127.0.0.1:65535', '127.0.0.1', '65535'],
    ['[::1]', '[::1]', ''],
    ['[FE80::1]:81', '[fe80::1]', '81'],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseAuthority(text), { text, hostname, port }));
  }

  for (const text of [
    '',
    ':80',
    'a/b',
    'a?b',
    'a#b',
    'u@h',
    'a,b',
    'a b',
    'a\\b',
    'h:x',
    'h:65536',
    '::1',
    '[::1',
    '[h]',
    '[fe80::1%25a]',
    'a%41',
    '\xfc',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseAuthority(text), undefined));
  }
});

describe('portOf()', () => {
  it("is the authority's, or the scheme's", () => {
    assert.equal(portOf(parse('/')), '81');
    assert.deepEqual([portOf(parse('http://h/')), portOf(parse('https://h/'))], ['80', '443']);
  });
});

describe('parseHostFields()', () => {
  it('finds the one Host field', () => {
    assert.equal(parseHostFields(['X', 'y', 'hOsT', 'h:81'])?.hostname, 'h');
    assert.equal(parseHostFields(['Hosted', 'y']), undefined);
    assert.equal(parseHostFields(['Host', '']), undefined);
  });

  it('refuses a second one, alike or empty, and one that is none', () => {
    for (const fields of [
      ['Host', 'h', 'host', 'h'],
      ['Host', '', 'Host', 'h'],
      ['Host', 'a/b'],
    ]) {
      assert.throws(() => parseHostFields(fields), MalformedRequest);
    }
  });
});
