import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isNebulaError } from '../../../../host/errors.ts';
import { HEADER_BLOCK_BYTES, parseCgiResponse } from '../../../../lib/triggers/http/cgi-response.ts';

function parse(output: string): unknown {
  const response = parseCgiResponse('f', Buffer.from(output, 'latin1'));
  if (response.kind === 'local-redirect') return response;
  const { statedBytes: _, ...document } = response;
  return { ...document, body: Buffer.from(document.body).toString('latin1') };
}

describe('parseCgiResponse()', () => {
  const documents = [
    ['a document', 'Content-Type: text/plain\n\nhi', 200, ['Content-Type', 'text/plain'], 'hi'],
    [
      'CRLF line ends',
      'content-type:text/plain\r\nStatus: 201\r\n\r\n\r\nhi',
      201,
      ['Content-Type', 'text/plain'],
      '\r\nhi',
    ],
    ['a status with a phrase', 'Status: 404 Not Found\n\n', 404, [], ''],
    [
      'fields in their order, repeated ones too',
      'Status: 200\nSet-Cookie: a\nX-B: \t c \nSet-Cookie: b\n\n',
      200,
      ['Set-Cookie', 'a', 'X-B', 'c', 'Set-Cookie', 'b'],
      '',
    ],
    ['an empty value', 'Status: 200\nX-Empty:\n\n', 200, ['X-Empty', ''], ''],
    ['a client redirect', 'Location: https://h/p#f\n\n', 302, ['Location', 'https://h/p#f'], ''],
    [
      'a client redirect with a document',
      'Location: https://h/\nStatus: 301 Moved\nContent-Type: text/html\n\n<a>',
      301,
      ['Location', 'https://h/', 'Content-Type', 'text/html'],
      '<a>',
    ],
    ['no body where the status has none', 'Status: 204\nContent-Type: a/b\n\nx', 204, ['Content-Type', 'a/b'], ''],
    // As PHP, wsgiref, CGI.pm and Go's net/http/cgi write them.
    [
      'a redirect to a path with a status',
      'Status: 302 Found\r\nLocation: /login\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\n\r\n',
      302,
      ['Location', '/login', 'Content-Type', 'text/html', 'Set-Cookie', 'a=b'],
      '',
    ],
    ['a relative redirect', 'Status: 303 See Other\nLocation: ../list?ok=1\n\n', 303, ['Location', '../list?ok=1'], ''],
    ['a relative redirect alone', 'Location: sign-in.cgi\n\n', 302, ['Location', 'sign-in.cgi'], ''],
    [
      'a redirect to another host',
      'Status: 301\nLocation: //cdn.example/x\n\n',
      301,
      ['Location', '//cdn.example/x'],
      '',
    ],
    ['a redirect to another host alone', 'Location: //cdn.example/x\n\n', 302, ['Location', '//cdn.example/x'], ''],
    [
      'a redirect with bytes',
      'Status: 302\nLocation: http://h/\xc3\xbc\n\n',
      302,
      ['Location', 'http://h/\xc3\xbc'],
      '',
    ],
    ['a redirect with a space', 'Location: https://h/a b\n\n', 302, ['Location', 'https://h/a b'], ''],
    ['a redirect to a fragment', 'Location: /a#b\n\n', 302, ['Location', '/a#b'], ''],
    ['a path with another field', 'Location: /a\nX-B: c\n\n', 302, ['Location', '/a', 'X-B', 'c'], ''],
    ['a path with a field that is dropped', 'Location: /a\nDate: now\n\n', 302, ['Location', '/a'], ''],
    ['a path of what was made', 'Status: 201\nLocation: /a\n\n', 201, ['Location', '/a'], ''],
    [
      "fields that are the server's to state",
      'Status: 200\nContent-Length: 9\nConnection: close\nTransfer-Encoding: chunked\nNebula-Outcome: ok\nX-CGI-Y: z\nX-Accel-Redirect: /a\nX-Sendfile: /a\nDate: now\n\n',
      200,
      [],
      '',
    ],
  ] as const;
  for (const [title, output, status, headers, body] of documents) {
    it(`reads ${title}`, () => {
      assert.deepEqual(parse(output), { kind: 'document', status, headers: [...headers], body });
    });
  }

  it('reads a local redirect', () => {
    assert.deepEqual(parse('Location: /a/b?c=d\n\n'), { kind: 'local-redirect', location: '/a/b?c=d' });
    assert.deepEqual(parse('Location: /\xc3\xbc b\n\n'), { kind: 'local-redirect', location: '/%C3%BC%20b' });
  });

  it('reads the length that the program states', () => {
    const response = parseCgiResponse('f', Buffer.from('Status: 200\nContent-Length: 12\n\n'));
    assert.ok(response.kind === 'document' && response.statedBytes === 12);
  });

  const refused = [
    ['nothing', '', /empty line/],
    ['a block without an end', 'Content-Type: text/plain\nhi', /empty line/],
    ['a block that is too long', `X: ${'x'.repeat(HEADER_BLOCK_BYTES)}\nStatus: 200\n\n`, /within 65536 bytes/],
    ['a block without a CGI field', 'X-A: b\n\nhi', /one of Content-Type, Location and Status/],
    ['an empty block', '\nhi', /one of Content-Type/],
    ['a status line (NPH)', 'HTTP/1.1 200 OK\nContent-Type: a/b\n\n', /"Name: value"/],
    ['a line without a colon', 'Status: 200\nhello\n\n', /"Name: value".*"hello"/],
    ['a name with a space', 'Status : 200\n\n', /"Name: value"/],
    ['a folded line', 'Status: 200\nX-A: b\n c\n\n', /"Name: value"/],
    ['a control character', 'Status: 200\nX-A: b\rX-B: c\n\n', /"Name: value"/],
    ['a NUL', 'Status: 200\nX-A: \0\n\n', /"Name: value"/],
    ['two statuses', 'Status: 200\nstatus: 201\n\n', /more than one status/],
    ['a status that is none', 'Status: 2000\n\n', /from 200 to 599/],
    ['an informational status', 'Status: 100\n\n', /from 200 to 599/],
    ['a body without a type', 'Status: 200\n\nhi', /no Content-Type/],
    ['two lengths', 'Status: 200\nContent-Length: 1\ncontent-length: 1\n\n', /more than one content-length/],
    ['a length that is no number', 'Status: 200\nContent-Length: +2\n\n', /digits in Content-Length, got "\+2"/],
  ] as const;
  for (const [title, output, detail] of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => parse(output),
        (error) => isNebulaError(error) && error.key === 'GUEST_RESPONSE' && detail.test(error.message),
      );
    });
  }

  it('reads or refuses any output', () => {
    const line = fc.constantFrom(
      'Status: 200',
      'Content-Type: a/b',
      'Location: /x',
      'Location: x:y',
      'X: y',
      '',
      '\r',
      ':',
      'Status: 99',
    );
    const output = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(line, { maxLength: 6 }).map((lines) => new Uint8Array(Buffer.from(lines.join('\n')))),
    );
    fc.assert(
      fc.property(output, (bytes) => {
        try {
          const response = parseCgiResponse('f', bytes);
          if (response.kind === 'document') assert.ok(response.status >= 200 && response.status <= 599);
        } catch (error) {
          assert.ok(isNebulaError(error) && error.key === 'GUEST_RESPONSE');
        }
      }),
    );
  });
});
