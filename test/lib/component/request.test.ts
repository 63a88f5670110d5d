import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveLimits } from '../../../host/limits.ts';
import { ClientWatch } from '../../../lib/component/client-watch.ts';
import { sendRequest } from '../../../lib/component/request.ts';
import { outcomeOf } from '../triggers/http/fake-nebula.ts';

describe('sendRequest()', () => {
  it('begins nothing for a client that goes as it gets its place, and gives the place back', async () => {
    const clients = new ClientWatch(1, () => ({ running: 0, waiting: 0 }));
    let invocations = 0;
    const target = {
      name: 'f',
      limits: resolveLimits({ bufferBytes: 0 }),
      isInThread: false,
      clients,
      invoke: () => {
        invocations++;
        return Promise.resolve(outcomeOf({ kind: 'ok' }));
      },
    };
    const head = { method: 'POST', scheme: 'http', authority: 'h', pathWithQuery: '/', headers: [] } as const;
    await clients.takePlace('other', 1, undefined);
    const client = new AbortController();
    const answer = sendRequest(target, head, (async function* () {})(), client.signal);
    await Promise.resolve();
    clients.leavePlace('other');
    client.abort();
    await assert.rejects(answer, { key: 'CLIENT_CLOSED' });
    assert.equal(invocations, 0);
    await clients.takePlace('next', 0, undefined);
  });
});
