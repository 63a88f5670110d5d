/** The package's types hold for whoever compiles against them: two TypeScripts, with DOM and @types/node and without. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { requirePart } from '../require.ts';
import { installPackage, type Project } from './installed.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');

const TYPESCRIPT_7 = join(root, 'node_modules/typescript/bin/tsc');
const TYPESCRIPT_5 = join(root, 'test/meta/typescript-5');

/** What users write. `plain` needs no types of the platform's; the others have some. */
const USERS = {
  'plain.mts': `
    import { createNebula, NebulaError, type Outcome } from 'nebula-faas';
    import { parseSidecar, type PowerTrace } from 'nebula-faas/hardware';
    import { nebulaHandler } from 'nebula-faas/express';
    import { nebulaPlugin } from 'nebula-faas/fastify';
    await using nebula = await createNebula({ threads: 1 });
    nebulaHandler(nebula, { token: 'x' });
    await nebulaPlugin({}, { nebula });
    // @ts-expect-error: there is no Nebula
    await nebulaPlugin({}, {});
    const outcome: Outcome = await nebula.invoke('x', 'input', { timeoutMs: 5 });
    export const failure: NebulaError | undefined = outcome.kind === 'ok' ? undefined : new NebulaError('CLOSED');
    export const status: number = (await nebula.fetch({} as Parameters<typeof nebula.fetch>[0])).status;
    export type Trace = PowerTrace;
    export const parse = parseSidecar;
    // @ts-expect-error: a number is no source
    await nebula.deploy(1);
    // @ts-expect-error: a text is no Request
    await nebula.fetch('http://x');
  `,
  'plain.cts': `
    import nebula = require('nebula-faas');
    import { createNebula, type Nebula } from 'nebula-faas';
    import hardware = require('nebula-faas/hardware');
    export const make: () => Promise<Nebula> = createNebula;
    export const isFailure = (error: unknown): error is nebula.NebulaError => error instanceof nebula.NebulaError;
    export const client: nebula.NebulaClient = new nebula.NebulaClient({ url: 'http://127.0.0.1' });
    export const align = hardware.align;
    // @ts-expect-error: there is no such export
    nebula.createNothing();
  `,
  'web.mts': `
    import { createNebula } from 'nebula-faas';
    const nebula = await createNebula();
    await nebula.deploy(new URL('function.wasm', 'file:///'));
    const handler: (request: Request) => Promise<Response> = (request) => nebula.fetch(request);
    const response: Response = await nebula.fn('x').fetch(new Request('http://x', { method: 'POST', body: 'y' }));
    export const body: ReadableStream<Uint8Array> | null = response.body;
    await nebula.invoke('x', 'y', { signal: AbortSignal.timeout(5) });
    // @ts-expect-error: this is no AbortSignal
    await nebula.invoke('x', 'y', { signal: 'soon' });
    export { handler };
  `,
} as const;

interface Combination {
  readonly hasDom: boolean;
  readonly hasNode: boolean;
}

const COMBINATIONS: readonly Combination[] = [false, true].flatMap((hasDom) =>
  [false, true].map((hasNode) => ({ hasDom, hasNode })),
);

const nameOf = ({ hasDom, hasNode }: Combination): string =>
  `${hasDom ? 'DOM' : 'no DOM'}, ${hasNode ? '@types/node' : 'no @types/node'}`;

describe("the package's types", () => {
  let project: Project;
  let configs: readonly string[];
  before(() => {
    project = installPackage();
    for (const [name, text] of Object.entries(USERS)) writeFileSync(join(project.folder, name), text);
    configs = COMBINATIONS.map(writeConfig);
  });
  after(() => project.remove());

  function writeConfig({ hasDom, hasNode }: Combination, at: number): string {
    const config = {
      compilerOptions: {
        noEmit: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        target: 'es2022',
        lib: ['es2022', 'esnext.disposable', ...(hasDom ? ['dom'] : [])],
        types: hasNode ? ['node'] : [],
        typeRoots: [join(root, 'node_modules', '@types')],
        // The strictest: here CommonJS may not require an ES module.
        module: 'node16',
      },
      files: Object.keys(USERS).filter((name) => hasDom || hasNode || !name.startsWith('web')),
    };
    const path = join(project.folder, `tsconfig.${at}.json`);
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  function run(command: readonly string[]): string {
    const { stdout, stderr } = spawnSync(process.execPath, command, { cwd: project.folder, encoding: 'utf8' });
    return stdout + stderr;
  }

  COMBINATIONS.forEach((combination, at) => {
    it(`hold in TypeScript 7 with ${nameOf(combination)}`, () => {
      assert.equal(run([TYPESCRIPT_7, '-p', configs[at] ?? '']), '');
    });
  });

  const isThere = existsSync(join(TYPESCRIPT_5, 'node_modules'));
  const skip = requirePart('typescript-5', isThere, 'npm ci --prefix test/meta/typescript-5 has not run');
  it(`hold in TypeScript 5.9 with ${COMBINATIONS.map(nameOf).join('; ')}`, { skip }, () => {
    const told = run([join(TYPESCRIPT_5, 'check.mjs'), ...configs]);
    assert.equal(told, COMBINATIONS.map(() => '""\n').join(''));
  });

  it('come with an entry for require that has what the one for import has', () => {
    for (const name of ['', '/hardware', '/express', '/fastify'].map((path) => `nebula-faas${path}`)) {
      const program = `import { createRequire } from 'node:module';
        const require = createRequire(import.meta.url);
        const imported = await import('${name}');
        let required = {};
        try { required = require('${name}'); } catch (error) { console.log(error.code, error.message); }
        const names = Object.keys(imported).filter((each) => imported[each] !== required[each]);
        console.log(names.length === 0 && Object.keys(imported).length > 0);`;
      const load = (...flags: string[]): string =>
        run(['--no-warnings', ...flags, '--input-type=module', '--eval', program]);
      assert.equal(load(), 'true\n');
      const refused = load('--no-experimental-require-module');
      assert.match(
        refused,
        /^ERR_REQUIRE_ESM "nebula-faas.*" is an ES module, which Node \S+ cannot require: use await import\(/,
      );
    }
  });
});
