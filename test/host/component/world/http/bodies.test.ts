import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { resolveCapabilities } from '../../../../../host/capabilities/capabilities.ts';
import { Host } from '../../../../../host/component/world/host.ts';
import { type BodyOwner, type BodySink, OutgoingBody } from '../../../../../host/component/world/http/bodies.ts';
import { resolveLimits } from '../../../../../host/limits.ts';

/** A sink that takes everything and remembers how it went. */
class Sink implements BodySink {
  bytes = 0;
  isEnded = false;
  isGivenUp = false;

  isReady(): boolean {
    return true;
  }

  room(): number {
    return 65_536;
  }

  piece(bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }

  end(): void {
    this.isEnded = true;
  }

  giveUp(): void {
    this.isGivenUp = true;
  }

  head(): void {}

  trailers(): void {}
}

function bodyOf(owner: BodyOwner, declaredBytes: number | undefined, outputBytes = 1000): [OutgoingBody, Sink] {
  const limits = resolveLimits({ outputBytes });
  const host = new Host({ programName: 'test', limits, capabilities: resolveCapabilities() }, []);
  return [new OutgoingBody(host, owner, declaredBytes), new Sink()];
}

/** What an operation throws, by its tags; `ok` when it throws nothing. */
function tagOf(operation: () => void): string {
  try {
    operation();
    return 'ok';
  } catch (error) {
    const { tag, val } = (
      error as { readonly payload: { readonly tag: string; readonly val?: { code?: { tag: string } } } }
    ).payload;
    return val?.code === undefined ? tag : `${tag} ${val.code.tag}`;
  }
}

describe('OutgoingBody', () => {
  it('is whole exactly when it is as long as was promised, whenever it is attached', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 5 });
    const declared = fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined });
    fc.assert(
      fc.property(lengths, declared, fc.nat(5), (pieces, declaredBytes, attachedAt) => {
        const [body, sink] = bodyOf('response', declaredBytes);
        const stream = body.write();
        const written = pieces.map((length, at) => {
          if (at === attachedAt) body.attach(sink);
          return tagOf(() => stream.blockingWriteAndFlush(new Uint8Array(length)));
        });
        const finished = tagOf(() => OutgoingBody.finish(body, undefined));
        if (attachedAt >= pieces.length) body.attach(sink);
        const sum = pieces.reduce((total, length) => total + length, 0);
        const isWhole = declaredBytes === undefined || declaredBytes === sum;
        assert.deepEqual([sink.isEnded, sink.isGivenUp, finished === 'ok'], [isWhole, !isWhole, isWhole]);
        assert.equal(
          written.some((tag) => tag !== 'ok'),
          declaredBytes !== undefined && sum > declaredBytes,
        );
      }),
    );
  });

  it('fails a write that is too long with the size that is wrong, and is closed from then on', () => {
    for (const owner of ['request', 'response'] as const) {
      const [body, sink] = bodyOf(owner, 2);
      body.attach(sink);
      const stream = body.write();
      assert.equal(stream.checkWrite() > 2n, true);
      assert.equal(
        tagOf(() => stream.write(new Uint8Array(3))),
        `last-operation-failed HTTP-${owner}-body-size`,
      );
      assert.deepEqual([tagOf(() => stream.checkWrite()), tagOf(() => stream.blockingFlush())], ['closed', 'closed']);
      assert.equal(stream.subscribe().ready(), true);
      assert.equal(
        tagOf(() => OutgoingBody.finish(body, undefined)),
        `HTTP-${owner}-body-size`,
      );
      assert.deepEqual([sink.bytes, sink.isEnded, sink.isGivenUp], [0, false, true]);
    }
  });

  it('keeps what is written before its head up to the output limit, and then is closed', () => {
    const [body] = bodyOf('response', undefined, 200_000);
    const stream = body.write();
    assert.equal(
      tagOf(() => stream.blockingWriteAndFlush(new Uint8Array(200_000))),
      'ok',
    );
    assert.equal(
      tagOf(() => stream.blockingWriteAndFlush(new Uint8Array(2))),
      'closed',
    );
    assert.deepEqual([tagOf(() => void stream.checkWrite()), stream.subscribe().ready()], ['closed', true]);
  });

  it('is given up when it is let go of, and not when it was finished', () => {
    const [dropped, first] = bodyOf('response', undefined);
    dropped.attach(first);
    dropped.drop();
    const [finished, second] = bodyOf('response', undefined);
    finished.attach(second);
    OutgoingBody.finish(finished, undefined);
    finished.drop();
    assert.deepEqual([first.isGivenUp, first.isEnded, second.isGivenUp, second.isEnded], [true, false, false, true]);
  });
});

describe('Host.wait()', () => {
  it('traps where nobody could ever end it', () => {
    const [{ host }] = bodyOf('response', undefined);
    assert.throws(() => host.wait([{ isReady: () => false }]), WebAssembly.RuntimeError);
    const readyAtMs = performance.now() + 5;
    host.wait([{ isReady: () => performance.now() >= readyAtMs, readyAtMs }]);
  });
});
