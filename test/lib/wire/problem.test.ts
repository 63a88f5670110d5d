import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRORS, NebulaError, type ErrorName } from '../../../host/errors.ts';
import { problemSchema } from '../../../lib/schema/problem.ts';
import { createCheck } from '../../../lib/schema/validation.ts';
import { fromProblem, parseProblem, toMalformedRequestProblem, toProblem } from '../../../lib/wire/problem.ts';

const findMisfit = createCheck(problemSchema);

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

describe('toProblem()', () => {
  for (const name of Object.keys(ERRORS) as ErrorName[]) {
    it(`tells of ${name}, and fromProblem() gives it back`, () => {
      const error = new NebulaError(name, { name: 'f', limit: 5 });
      const problem = toProblem(error, 'an-id', { stderr: 'x' });
      assert.equal(findMisfit(problem), undefined);
      const parsed = parseProblem(bytesOf(problem));
      assert.ok(parsed !== undefined);
      assert.deepEqual(parsed, problem);
      const told = fromProblem(parsed);
      assert.deepEqual([told.key, told.fields, told.message], [error.key, error.fields, error.message]);
    });
  }
});

describe('parseProblem()', () => {
  for (const body of ['', '{', 'null', '[]', '"x"', '{}', '{"code":"ERR_NEBULA_"}', '{"code":"ERR_NEBULA_toString"}']) {
    it(`takes ${JSON.stringify(body)} for none`, () => assert.equal(parseProblem(Buffer.from(body)), undefined));
  }

  it('takes what HTTP could not make sense of for none: it has no code', () => {
    assert.equal(parseProblem(bytesOf(toMalformedRequestProblem(400, 'expected a host'))), undefined);
  });
});
