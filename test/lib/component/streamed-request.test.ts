/** Responses that will never be whole, and guests that would wait for what cannot come. Each guest here has seconds to its deadline. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Request } from 'undici';
import type { Outcome } from '../../../host/outcome.ts';
import { GuestEnded } from '../../../lib/component/guest-ended.ts';
import { createNebula, type Nebula } from '../../../lib/index.ts';
import { field, put, script, scriptedFolder } from '../../host/component/components.ts';

const HEAD = { method: 'GET', scheme: 'http', authority: 'h', headers: [] } as const;
const NO_BODY = new Uint8Array();
/** wasi:http, error-code: HTTP-response-body-size. */
const SIZE = 'failed 28';

interface Told {
  readonly status?: number;
  readonly body: string;
  /** The code of what the response broke off with. */
  readonly code?: unknown;
  readonly outcome: Outcome['kind'] | undefined;
}

async function tell(
  nebula: Nebula,
  query: string,
  body: Uint8Array | AsyncIterable<Uint8Array> = NO_BODY,
): Promise<Told> {
  let text = '';
  let status: number | undefined;
  let ended: Promise<Outcome> | undefined;
  try {
    const response = await nebula.fn('scripted').send({ ...HEAD, pathWithQuery: query }, body);
    status = response.status;
    ended = response.outcome;
    for await (const piece of response.body) text += Buffer.from(piece).toString('latin1');
    return { status, body: text, outcome: (await ended).kind };
  } catch (error) {
    const { code } = (error instanceof GuestEnded ? error.toFailure() : error) as { readonly code?: unknown };
    const outcome = await ended;
    return { ...(status === undefined ? {} : { status }), body: text, code, outcome: outcome?.kind };
  }
}

const length = (value: string): string => field('field', 'content-length', value);
const GIVEN_UP = 'ERR_NEBULA_GUEST_RESPONSE';

for (const executor of ['worker', 'in-thread'] as const) {
  describe(`sendRequest() by ${executor}: a response`, () => {
    let nebula: Nebula;

    before(async () => {
      nebula = await createNebula(executor === 'worker' ? { executor, threads: 1 } : { executor });
      await nebula.deploy(await scriptedFolder(), { limits: { timeoutMs: 60_000 } });
    });

    after(() => nebula.close());

    // The guest traps where a step does not go as it expects, and the outcome tells.
    const cut = [
      ['longer than its Content-Length fails the write', [length('2'), 'head', put('abc'), `expect:${SIZE}`]],
      [
        'longer in a second write fails that one',
        [length('2'), 'head', put('ab'), 'expect:ok', put('c'), `expect:${SIZE}`],
      ],
      ['longer fails a blocking write', [length('2'), 'head', put('abc', 'blocking'), `expect:${SIZE}`]],
      [
        'longer is closed to what comes after',
        [length('2'), 'head', put('abc'), put('a'), 'expect:closed', put('a', 'blocking'), 'expect:closed'],
      ],
      ['longer cannot be finished', [length('2'), 'head', put('abc'), 'finish', `expect:${SIZE}`]],
      ['longer than 0 fails the write', [length('0'), 'head', put('a'), `expect:${SIZE}`]],
      ['shorter fails its finish', [length('5'), 'head', put('abc'), 'finish', `expect:${SIZE}`]],
      ['let go before its end', ['head', put('abc'), 'drop-stream', 'drop-body', 'expect:ok']],
      ['never finished', ['head', put('abc'), 'expect:ok']],
    ] as const;
    for (const [what, steps] of cut) {
      it(`${what}, and is cut off`, async () => {
        const told = await tell(nebula, script(...steps));
        assert.deepEqual([told.code, told.outcome], [GIVEN_UP, executor === 'worker' ? 'ok' : undefined]);
      });
    }

    const unsent = [
      ['longer than its Content-Length before it is handed over', [length('2'), put('abc'), `expect:${SIZE}`, 'head']],
      ['shorter, finished before it is handed over', [length('2'), put('a'), 'finish', `expect:${SIZE}`, 'bare-head']],
      ['without the body its Content-Length promises', [length('2'), 'bare-head']],
      ['let go before it is handed over', [put('a'), 'drop-stream', 'drop-body', 'bare-head']],
      ['never handed over', ['drop-out']],
    ] as const;
    for (const [what, steps] of unsent) {
      it(`${what} is refused before its head`, async () => {
        const told = await tell(nebula, script(...steps));
        assert.deepEqual([told.status, told.code], [undefined, GIVEN_UP]);
      });
    }

    it('as long as its Content-Length is whole, finished before it is handed over or after', async () => {
      const early = await tell(nebula, script(length('2'), put('ab'), 'finish', 'expect:ok', 'bare-head', 'expect:ok'));
      const late = await tell(nebula, script(length('2'), 'head', put('a'), put('b'), 'finish', 'expect:ok'));
      const whole = { status: 200, body: 'ab', outcome: 'ok' };
      assert.deepEqual([early, late], [whole, whole]);
    });

    it('is there whole with its head if the guest has ended by then, and in pieces where it goes on', async () => {
      const ended = await nebula
        .fn('scripted')
        .send({ ...HEAD, pathWithQuery: script('head', put('ab'), 'finish') }, NO_BODY);
      if (executor === 'in-thread' || ended.whole !== undefined)
        assert.equal(Buffer.from(ended.whole ?? NO_BODY).toString(), 'ab');
      for await (const piece of ended.body) assert.equal(String(piece), '97,98');
      // In its own thread nothing happens before it has ended.
      if (executor === 'in-thread') return;
      const busy = await nebula
        .fn('scripted')
        .send({ ...HEAD, pathWithQuery: script('head', put('a'), 'spin') }, NO_BODY);
      assert.deepEqual([busy.status, busy.whole], [200, undefined]);
      assert.equal(String((await busy.body.next()).value), '97');
      await busy.body.return();
      assert.equal((await busy.outcome).kind, 'aborted');
    });

    it('may be written before it is handed over, however much it is', async () => {
      const told = await tell(nebula, script('zeros:300000', 'expect:ok', 'finish', 'expect:ok', 'bare-head'));
      assert.deepEqual([told.status, told.body.length, told.outcome], [200, 300_000, 'ok']);
    });

    it('to HEAD has writes that go nowhere and wait for nobody, whatever their length', async () => {
      const steps = [length('2'), 'head', 'zeros:3000000', 'expect:ok', 'finish', 'expect:ok'];
      const asked = { ...HEAD, method: 'HEAD', pathWithQuery: script(...steps) };
      const response = await nebula.fn('scripted').send(asked, NO_BODY);
      assert.equal((await response.outcome).kind, 'ok');
      assert.deepEqual([...response.headers], [['content-length', '2']]);
    });

    it('needs nothing of a request body that is let go unread', async () => {
      const body = new Uint8Array(400_000);
      const told = await tell(nebula, script('drop-input', 'head', put('a'), 'finish'), body);
      assert.deepEqual([told.body, told.outcome], ['a', 'ok']);
    });
  });
}

describe('StreamedRequest: a guest that goes on after it gave its response up', () => {
  let nebula: Nebula;

  before(async () => {
    nebula = await createNebula({ threads: 3 });
    await nebula.deploy(await scriptedFolder(), { limits: { timeoutMs: 3000 } });
  });

  after(() => nebula.close());

  const cases = [
    ['by letting go of the response-outparam', ['drop-out', 'spin']],
    ['by letting go of its body', ['head', put('abc'), 'drop-stream', 'drop-body', 'spin']],
    ['by writing too much', [length('2'), 'head', put('abc'), 'spin']],
  ] as const;
  for (const [how, steps] of cases) {
    it(`holds its caller up no longer (${how})`, async () => {
      const ended = nebula.stats().functions[0]?.outcomes.timeout ?? 0;
      await assert.rejects(
        nebula
          .fn('scripted')
          .fetch(new Request(`http://h${script(...steps)}`))
          .then((response) => response.text()),
        (error: { readonly code?: unknown; readonly cause?: { readonly code?: unknown } }) =>
          [error.code, error.cause?.code].includes(GIVEN_UP),
      );
      // The caller was told while the guest still ran.
      assert.equal(nebula.stats().functions[0]?.outcomes.timeout ?? 0, ended);
    });
  }
});

async function* broken(): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < 40; piece++) yield new Uint8Array(65_536);
  throw new Error('the line is cut');
}

describe('StreamedRequest: a request that breaks off', () => {
  it('is told to the guest as an error, not as the end of its body', async () => {
    await using nebula = await createNebula({ threads: 1 });
    await nebula.deploy(await scriptedFolder());
    const told = await tell(nebula, script('read', 'expect:closed 2621440', 'head', put('whole'), 'finish'), broken());
    assert.equal(told.status, undefined);
    assert.equal(nebula.stats().functions[0]?.outcomes.ok ?? 0, 0);
  });
});

describe('sendRequest() to one thread, again and again', () => {
  let nebula: Nebula;
  before(async () => {
    nebula = await createNebula({ threads: 1 });
    await nebula.deploy(await scriptedFolder(), { name: 'scripted' });
  });
  after(() => nebula.close());

  it('has each request answered with its own body, whatever fits beside others in shared memory', async () => {
    for (let round = 0; round < 3; round++) {
      const bodies = [0, 1, 700, 1900, 2100, 70_000].flatMap((size) => [size, size + round]);
      const told = await Promise.all(
        bodies.map(async (size, at) => {
          const fields = [['x-long', 'v'.repeat(size > 100 && size < 1000 ? 3000 : 1)]] as const;
          const head = { ...HEAD, pathWithQuery: script('head', put(`${at}:`), 'echo', 'finish'), headers: fields };
          const response = await nebula.fn('scripted').send(head, new Uint8Array(size).fill(65 + at));
          let text = '';
          for await (const piece of response.body) text += Buffer.from(piece).toString('latin1');
          return [text, (await response.outcome).kind];
        }),
      );
      assert.deepEqual(
        told,
        bodies.map((size, at) => [`${at}:${String.fromCodePoint(65 + at).repeat(size)}`, 'ok']),
      );
    }
  });
});
