// Beside the tap runner's hook, in the tests' process, in its threads and in its preparing processes: what they run is changed
// alike, and counts as covered. They tell it in a file as they go, for they may be ended at any time.
const { appendFileSync, existsSync, readFileSync, rmSync } = require('node:fs');
const childProcess = require('node:child_process');
const { syncBuiltinESMExports } = require('node:module');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

const { NEBULA_MUTATION_COVERED: given, STRYKER_DRY_RUN, __STRYKER_ACTIVE_MUTANT__ } = process.env;
const file = given ?? join(process.cwd(), `stryker-threads-${process.pid}.txt`);
const isTests = isMainThread && given === undefined;

if (isMainThread) {
  const passed = { NEBULA_MUTATION_COVERED: file, NODE_OPTIONS: `-r ${__filename}` };
  if (STRYKER_DRY_RUN !== undefined) passed.STRYKER_DRY_RUN = STRYKER_DRY_RUN;
  if (__STRYKER_ACTIVE_MUTANT__ !== undefined) passed.__STRYKER_ACTIVE_MUTANT__ = __STRYKER_ACTIVE_MUTANT__;
  const { spawn } = childProcess;
  childProcess.spawn = (command, args, options) => {
    const isPreparing = Array.isArray(args) && String(args.at(-1)).endsWith(join('preparation', 'entry.js'));
    return spawn(command, args, isPreparing ? { ...options, env: { ...options.env, ...passed } } : options);
  };
  syncBuiltinESMExports();
}

if (STRYKER_DRY_RUN === 'true' && isTests) {
  process.prependListener('exit', () => {
    if (!existsSync(file)) return;
    globalThis.__stryker__.mutantCoverage ??= { static: {}, perTest: {} };
    const covered = globalThis.__stryker__.mutantCoverage.static;
    for (const id of readFileSync(file, 'utf8').split('\n')) if (id !== '') covered[id] = (covered[id] ?? 0) + 1;
    rmSync(file);
  });
} else if (STRYKER_DRY_RUN === 'true') {
  const seen = new Proxy(
    {},
    {
      set(target, id, count) {
        if (!(id in target)) appendFileSync(file, `${String(id)}\n`);
        target[id] = count;
        return true;
      },
    },
  );
  globalThis.__stryker__ = { mutantCoverage: { static: seen, perTest: {} } };
}
