/** Rows about functions as CGI programs. */

import { BEARER, type Case } from './matrix-case.ts';

export const CGI_CASES: readonly Case[] = [
  {
    title: 'ANY /fn/:name hands the request over as meta-variables',
    send: ['PUT', '/fn/cgi-env/a%20b/%C3%BC?q=1&r=%20', 'body'],
    headers: { ...BEARER, 'content-type': 'text/x', 'x-custom': 'c', proxy: 'http://evil' },
    status: 200,
    answers: { 'content-type': 'application/json', 'nebula-outcome': 'ok' },
    body: /"PATH_INFO":"\/a b\/ü".*"QUERY_STRING":"q=1&r=%20"/,
  },
  {
    title: 'ANY /fn/:name answers with the status and fields of the program',
    send: ['GET', '/fn/teapot'],
    status: 418,
    answers: { 'content-type': 'text/tea', 'x-brew': 'green', 'nebula-start': 'restored' },
    body: 'short',
  },
  {
    title: 'HEAD /fn/:name has no body',
    send: ['HEAD', '/fn/teapot'],
    status: 418,
    answers: { 'content-length': '5' },
    body: '',
  },
  { title: 'ANY /fn/:name follows a local redirect', send: ['POST', '/fn/moved', 'x'], status: 418, body: 'short' },
  {
    title: 'ANY /fn/:name ends a chain of local redirects',
    send: ['GET', '/fn/loop'],
    status: 502,
    problem: { code: 'GUEST_RESPONSE', detail: /more than 5 local redirects/ },
  },
  {
    title: 'ANY /fn/:name tells the client to go elsewhere',
    send: ['GET', '/fn/away'],
    status: 302,
    answers: { location: 'https://example.org/x' },
  },
  {
    title: 'ANY /fn/:name with no header block',
    send: ['GET', '/fn/echo'],
    status: 502,
    problem: { code: 'GUEST_RESPONSE' },
  },
  { title: 'ANY /fn/:name of a trap', send: ['GET', '/fn/trap'], status: 500, answers: { 'nebula-outcome': 'failed' } },
  {
    title: 'ANY /fn/:name of nobody',
    send: ['GET', '/fn/nobody/x'],
    status: 404,
    problem: { code: 'FUNCTION_NOT_FOUND' },
  },
  {
    title: 'ANY /fn/:name with a NUL in its path',
    send: ['GET', '/fn/echo/%00'],
    status: 404,
    problem: { code: 'ROUTE_NOT_FOUND' },
  },
  {
    title: 'ANY /fn/:name with an input over its limit',
    send: ['POST', '/fn/small', 'x'.repeat(11)],
    status: 413,
    problem: { code: 'INPUT_TOO_LARGE' },
  },
];
