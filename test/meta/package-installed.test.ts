/** The package as somebody has it who installed it and has no clone. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { installPackage, type Project } from './installed.ts';

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

describe('the installed package', () => {
  let project: Project;
  before(() => {
    project = installPackage();
  });
  after(() => project.remove());

  function nebula(given: readonly string[], input = ''): Ended {
    const command = join(project.folder, 'node_modules/nebula-faas/dist/lib/cli/main.js');
    return spawnSync(process.execPath, [command, ...given], { cwd: project.folder, encoding: 'utf8', input });
  }

  it('runs the functions that it brings', () => {
    const { stdout, stderr } = nebula(['invoke', 'node_modules/nebula-faas/functions/fibonacci'], '30');
    assert.deepEqual([stdout, stderr], ['832040\n', '']);
  });

  it('tells of the benchmarks what they are and that a clone has them', () => {
    for (const given of [['--help'], ['start', '--help'], ['help'], []]) {
      const { stdout, stderr, status } = nebula(['bench', ...given]);
      assert.deepEqual([stderr, status], ['', 0]);
      assert.match(stdout, /^ {2}restore \[options\] +a used state put back$/m);
      assert.match(stdout, /None of these is in the package\. A clone of the source adds them/);
    }
    const { stderr, status } = nebula(['bench', 'start']);
    assert.equal(status, 3);
    assert.match(stderr, /benchmarks are part of a clone of the source; see "nebula bench --help"/);
  });
});
