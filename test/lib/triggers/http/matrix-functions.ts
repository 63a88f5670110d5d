/** The functions that the rows of the suite call. */

import { NebulaError } from '../../../../host/errors.ts';
import { NO_USAGE, type Outcome } from '../../../../host/outcome.ts';
import { FakeNebula, outcomeOf } from './fake-nebula.ts';

export const LONG_STDERR: string = `${'x'.repeat(3000)}the end`;

function ok(stdout: string): () => Outcome {
  return () => outcomeOf({ kind: 'ok' }, stdout);
}

function trap(): Outcome {
  return outcomeOf({ kind: 'trap', reason: 'unreachable', message: 'unreachable executed' }, 'x', LONG_STDERR);
}

function exit(): Outcome {
  return outcomeOf({ kind: 'exit', exitCode: 3 }, 'x', 'oh');
}

/** Its thread was lost with it. */
function lose(): Promise<never> {
  const cause = { stdout: Buffer.from('x'), stderr: Buffer.from('last words'), usage: NO_USAGE };
  return Promise.reject(new NebulaError('WORKER_LOST', { name: 'lost', detail: 'gone' }, { cause }));
}

export function createFake(): FakeNebula {
  const shown = { http: { showFailures: true } };
  const mount = { guest: '/f', files: { bytes: new Uint8Array([0, 255]) }, access: 'read-only' } as const;
  const component = { kind: 'library', exports: ['demo:strings/case'] } as const;
  return new FakeNebula()
    .define('library', ok(''), { capabilities: { mounts: [mount] }, init: { allow: ['mounts'] } }, { component })
    .define('echo', (input) => outcomeOf({ kind: 'ok' }, input), { http: { contentType: 'text/plain' } })
    .define('plain', (input) => outcomeOf({ kind: 'ok' }, input))
    .define('small', () => outcomeOf({ kind: 'ok' }), { limits: { inputBytes: 10 } })
    .define('trap', trap)
    .define('trap-shown', trap, shown)
    .define('exit', exit)
    .define('exit-shown', exit, shown)
    .define('timeout', () => outcomeOf({ kind: 'timeout', timeoutMs: 20 }))
    .define('limit', () => outcomeOf({ kind: 'limit', limit: 'outputBytes', allowed: 10 }))
    .define('denied', () => outcomeOf({ kind: 'denied', capability: 'clock' }))
    .define('aborted', () => outcomeOf({ kind: 'aborted' }))
    .define('busy', () => Promise.reject(new NebulaError('QUEUE_FULL', { name: 'busy', limit: 1 })))
    .define('paused', () =>
      Promise.reject(new NebulaError('FUNCTION_PAUSED', { name: 'paused', endings: 5, retryAfterMs: 2100 })),
    )
    .define('lost', lose)
    .define('lost-shown', lose, shown)
    .define('timeout-shown', () => outcomeOf({ kind: 'timeout', timeoutMs: 20 }, 'x', 'last words'), shown)
    .define('broken', () => Promise.reject(new Error('the password is hunter2')))
    .define('cgi-env', (input, { environment = {} }) => {
      const { PATH_INFO, QUERY_STRING } = environment;
      const variables = Object.entries(environment).filter(([name]) => !name.startsWith('SERVER_P'));
      const body = JSON.stringify({
        PATH_INFO,
        QUERY_STRING,
        names: variables.map(([name]) => name).sort(),
        input: input.length,
      });
      return outcomeOf({ kind: 'ok' }, `Content-Type: application/json\n\n${body}`);
    })
    .define('teapot', ok("Status: 418 I'm a teapot\r\nContent-Type: text/tea\r\nX-Brew: green\r\n\r\nshort"))
    .define('stated', ok('Content-Type: a/b\nContent-Length: 1234\n\n'))
    .define('unstated', ok('Content-Type: a/b\n\n'))
    .define('login', ok('Status: 302 Found\nLocation: /login\nContent-Type: text/html\nSet-Cookie: a=b\n\n'))
    .define('manager', ok('Location: /functions\n\n'))
    .define('climber', ok('Location: /fn/%2e%2e/functions\n\n'))
    .define(
      'cgi-credentials',
      (_, { environment = {} }) => {
        const { HTTP_AUTHORIZATION, HTTP_PROXY_AUTHORIZATION } = environment;
        return outcomeOf({ kind: 'ok' }, `Content-Type: a/b\n\n${HTTP_AUTHORIZATION} ${HTTP_PROXY_AUTHORIZATION}`);
      },
      { http: { authorization: true } },
    )
    .define('moved', ok('Location: /fn/teapot?x=1\n\n'))
    .define('loop', ok('Location: /fn/loop\n\n'))
    .define('away', ok('Location: https://example.org/x\n\n'));
}
