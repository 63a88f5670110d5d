import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { readyFunction } from './answer.ts';
import { functionNames, readCases } from './cases.ts';
import { inputOf } from './inputs.ts';

for (const name of functionNames()) {
  describe(`functions/${name}`, () => {
    const cases = readCases(name);

    test(`${name} has a small, a medium and a large case, or does nothing`, () => {
      const names = cases.map((given) => given.name);
      const wanted = name === 'noop' ? ['small'] : ['small', 'medium', 'large'];
      assert.deepEqual(
        wanted.filter((size) => !names.includes(size)),
        [],
      );
    });

    test(`${name} answers each of its cases as recorded`, async () => {
      const ready = await readyFunction(name);
      try {
        for (const given of cases) {
          const { ending, stdout, stderr } = ready.answer(await inputOf(given));
          const exitCode = given.exitCode ?? 0;
          assert.deepEqual(ending, exitCode === 0 ? { kind: 'ok' } : { kind: 'exit', exitCode }, given.name);
          assert.equal(stderr, given.stderr ?? '', given.name);
          if (given.expected !== undefined) assert.equal(Buffer.from(stdout).toString(), given.expected, given.name);
          else assert.equal(createHash('sha256').update(stdout).digest('hex'), given.expectedSha256, given.name);
        }
      } finally {
        ready.close();
      }
    });
  });
}
