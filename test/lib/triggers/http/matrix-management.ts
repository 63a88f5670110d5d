/** Rows about the management of functions. They run in this order. */

import { BEARER, TOKEN, type Case } from './matrix-case.ts';

const WASM = Buffer.from('\0asm\x01\0\0\0');

export const MANAGEMENT_CASES: readonly Case[] = [
  {
    title: 'GET /functions without a token',
    send: ['GET', '/functions'],
    status: 401,
    answers: { 'www-authenticate': 'Bearer realm="nebula"' },
    problem: { code: 'UNAUTHORIZED' },
  },
  {
    title: 'GET /functions with a wrong token',
    send: ['GET', '/functions'],
    headers: { authorization: 'Bearer correct-hors' },
    status: 401,
    problem: { code: 'UNAUTHORIZED' },
  },
  {
    title: 'GET /functions with another scheme',
    send: ['GET', '/functions'],
    headers: { authorization: `Basic ${TOKEN}` },
    status: 401,
  },
  {
    title: 'GET /functions',
    send: ['GET', '/functions'],
    headers: BEARER,
    status: 200,
    body: /"name":"echo","version":1/,
  },
  {
    title: 'GET /functions/:name/logs',
    send: ['GET', '/functions/echo/logs'],
    headers: BEARER,
    status: 200,
    body: '{"records":[]}',
  },
  { title: 'GET /logs', send: ['GET', '/logs?after=1'], headers: BEARER, status: 200, body: '{"records":[]}' },
  {
    title: 'GET /logs of a time that is none',
    send: ['GET', '/logs?since=noon'],
    headers: BEARER,
    status: 400,
  },
  {
    title: 'GET /functions/:name',
    send: ['GET', '/functions/echo'],
    headers: BEARER,
    status: 200,
    body: /"limits":\{/,
  },
  { title: 'GET /functions/:name of nobody', send: ['GET', '/functions/nobody'], headers: BEARER, status: 404 },
  { title: 'GET /metrics without a token', send: ['GET', '/metrics'], status: 401 },
  {
    title: 'GET /metrics',
    send: ['GET', '/metrics'],
    headers: BEARER,
    status: 200,
    answers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: /nebula_invocations_total\{function="echo",outcome="trap"\} 1/,
  },
  {
    title: 'PUT /functions/:name without a token reads nothing',
    send: ['PUT', '/functions/new', WASM],
    headers: { 'content-type': 'application/wasm' },
    status: 401,
  },
  {
    title: 'PUT /functions/:name of another media type',
    send: ['PUT', '/functions/new', WASM],
    headers: { ...BEARER, 'content-type': 'text/plain' },
    status: 415,
    problem: { code: 'MEDIA_TYPE', detail: /"text\/plain"/ },
  },
  {
    title: 'PUT /functions/:name of a body that is no module',
    send: ['PUT', '/functions/new', 'hello'],
    headers: { ...BEARER, 'content-type': 'application/wasm' },
    status: 422,
    problem: { code: 'MODULE_INVALID' },
  },
  {
    title: 'PUT /functions/:name of a module over its limit',
    send: ['PUT', '/functions/new', Buffer.alloc(2000)],
    headers: { ...BEARER, 'content-type': 'application/wasm' },
    status: 413,
    problem: { code: 'MODULE_TOO_LARGE', detail: /2000 bytes: the limit is 1000/ },
  },
  {
    title: 'PUT /functions/:name of base64 that is a module over its limit',
    send: ['PUT', '/functions/new', JSON.stringify({ module: Buffer.alloc(1001).toString('base64') })],
    headers: { ...BEARER, 'content-type': 'application/json' },
    status: 413,
    problem: { code: 'MODULE_TOO_LARGE', detail: /1001 bytes/ },
  },
  ...(
    [
      ['a manifest that is no JSON', 'Nebula-Manifest', '%7B', /percent-encoded JSON/],
      ['a manifest with a field nobody knows', 'Nebula-Manifest', encodeURIComponent('{"colour":1}'), /"colour"/],
      ['a manifest of another name', 'Nebula-Manifest', encodeURIComponent('{"name":"other"}'), /"other"/],
      [
        'a manifest that names a file',
        'Nebula-Manifest',
        encodeURIComponent('{"module":"/etc/passwd"}'),
        /names a file/,
      ],
    ] as const
  ).map(
    ([title, header, value, detail]): Case => ({
      title: `PUT /functions/:name with ${title}`,
      send: ['PUT', '/functions/new', WASM],
      headers: { ...BEARER, 'content-type': 'application/wasm', [header]: value },
      status: 422,
      problem: { code: 'MANIFEST_INVALID', detail },
    }),
  ),
  ...(
    [
      ['that is not JSON', '{', /not JSON/],
      ['that is no object', '[]', /object/],
      ['without a module', '{}', /"module" must be base64/],
      ['with another field', '{"module":"","x":1}', /unknown field "x"/],
      ['with a snapshot that is no text', '{"module":"","snapshot":[1]}', /"snapshot" must be base64, got object/],
      ['with the path of a snapshot', '{"module":"","manifest":{"snapshot":"x"}}', /"snapshot" names a file/],
    ] as const
  ).map(
    ([title, body, detail]): Case => ({
      title: `PUT /functions/:name with a JSON body ${title}`,
      send: ['PUT', '/functions/new', body],
      headers: { ...BEARER, 'content-type': 'application/json; charset=utf-8' },
      status: 422,
      problem: { code: 'MANIFEST_INVALID', detail },
    }),
  ),
  {
    title: 'PUT /functions/:name with base64 that is none',
    send: ['PUT', '/functions/new', '{"module":"AA*A"}'],
    headers: { ...BEARER, 'content-type': 'application/json' },
    status: 422,
    problem: { code: 'MODULE_INVALID', detail: /byte 2/ },
  },
  {
    title: 'PUT /functions/:name with a snapshot whose base64 is none',
    send: ['PUT', '/functions/new', '{"module":"AAAA","snapshot":"AAA*"}'],
    headers: { ...BEARER, 'content-type': 'application/json' },
    status: 422,
    problem: { code: 'SNAPSHOT_CORRUPT', detail: /character 3/ },
  },
  {
    title: 'PUT /functions/:name masks what the table does not name',
    send: ['PUT', '/functions/new', 'broken'],
    headers: { ...BEARER, 'content-type': 'application/wasm' },
    status: 500,
    problem: { code: 'INTERNAL' },
  },
  {
    title: 'PUT /functions/:name makes a function',
    send: ['PUT', '/functions/new', WASM],
    headers: {
      ...BEARER,
      'content-type': 'application/wasm',
      'nebula-manifest': encodeURIComponent('{"description":"ü"}'),
    },
    status: 201,
    answers: { location: '/functions/new' },
    body: /"description":"ü"/,
  },
  {
    title: 'PUT /functions/:name makes a version',
    send: [
      'PUT',
      '/functions/new',
      JSON.stringify({ module: WASM.toString('base64'), manifest: { http: { showFailures: true } } }),
    ],
    headers: { ...BEARER, 'content-type': 'application/json' },
    status: 200,
    body: /"version":2.*"showFailures":true/,
  },
  {
    title: 'POST /functions/:name/rollback',
    send: ['POST', '/functions/new/rollback'],
    headers: BEARER,
    status: 200,
    body: /"version":1/,
  },
  {
    title: 'POST /functions/:name/rollback with nothing before',
    send: ['POST', '/functions/new/rollback'],
    headers: BEARER,
    status: 409,
    problem: { code: 'NO_PREVIOUS_VERSION' },
  },
  {
    title: 'DELETE /functions/:name',
    send: ['DELETE', '/functions/new'],
    headers: BEARER,
    status: 204,
    answers: { 'content-length': undefined },
    body: '',
  },
  { title: 'DELETE /functions/:name again', send: ['DELETE', '/functions/new'], headers: BEARER, status: 404 },
  {
    title: 'PATCH /functions/:name',
    send: ['PATCH', '/functions/echo', 'x'],
    headers: BEARER,
    status: 405,
    answers: { allow: 'GET, PUT, DELETE, HEAD, OPTIONS' },
  },
];
