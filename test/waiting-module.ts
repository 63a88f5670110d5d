/** A module made to wait where it never did: what a guest does is the same, but that it is suspended several times meanwhile. */

import binaryen from 'binaryen';

const WASI = 'wasi_snapshot_preview1';
/** How often a call of it waits: when it is entered, and before it writes. */
const WAITS = 3;
const WAIT_NS = 1_000_000n;

/** Where in memory it says what it waits for, and is told; all of it is put back afterwards. Layouts: WASI preview 1. */
const AT = { subscription: 128, event: 176, count: 208, end: 216 } as const;

/** The same module with an import of `poll_oneoff`, which its entry and each write of it call as often as it is to wait. */
export function waitingModule(bytes: Uint8Array): Uint8Array {
  const module = binaryen.readBinaryWithFeatures(bytes, binaryen.Features.All);
  try {
    addWait(module);
    for (const entry of ['_start', 'handle']) enterLater(module, entry);
    writeLater(module);
    if (module.validate() !== 1) throw new Error('the module is not valid any more');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

const WAIT = 'test.wait';
const LEFT = 'test.waits-left';
const POLL = 'test.poll';

function addWait(module: binaryen.Module): void {
  const { i32, i64, none } = binaryen;
  module.addFunctionImport(POLL, WASI, 'poll_oneoff', binaryen.createType([i32, i32, i32, i32]), i32);
  // Not while it is initialised: it has not been entered then.
  module.addGlobal(LEFT, i32, true, module.i32.const(0));
  const at = (address: number): number => module.i32.const(address);
  const cells = Array.from({ length: (AT.end - AT.subscription) / 8 }, (_, index) => AT.subscription + index * 8);
  const left = (): number => module.global.get(LEFT, i32);
  const store = (address: number, value: bigint): number =>
    module.i64.store(0, 8, at(address), module.i64.const(value));
  const wait = module.block(null, [
    module.global.set(LEFT, module.i32.sub(left(), at(1))),
    ...cells.map((address, index) => module.local.set(index, module.i64.load(0, 8, at(address)))),
    ...cells.map((address) => store(address, 0n)),
    // The monotonic clock, for so long.
    store(AT.subscription + 16, 1n),
    store(AT.subscription + 24, WAIT_NS),
    module.drop(module.call(POLL, [at(AT.subscription), at(AT.event), at(1), at(AT.count)], i32)),
    ...cells.map((address, index) => module.i64.store(0, 8, at(address), module.local.get(index, i64))),
  ]);
  const types = cells.map(() => i64);
  module.addFunction(WAIT, none, none, types, module.if(left(), wait));
}

function enterLater(module: binaryen.Module, entry: string): void {
  const exported = module.getExport(entry);
  if (exported === 0) return;
  const { value } = binaryen.getExportInfo(exported);
  const { params, results } = binaryen.getFunctionInfo(module.getFunction(value));
  if (params !== binaryen.none) throw new Error(`"${entry}" takes arguments`);
  const name = `test.${entry}`;
  const calls = [
    module.global.set(LEFT, module.i32.const(WAITS)),
    module.call(WAIT, [], binaryen.none),
    module.call(value, [], results),
  ];
  module.addFunction(name, params, results, [], module.block(null, calls, results));
  module.removeExport(entry);
  module.addFunctionExport(name, entry);
}

/** Puts a function that waits first in the place of `fd_write`. */
function writeLater(module: binaryen.Module): void {
  const imported = Array.from({ length: module.getNumFunctions() }, (_, index) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(index)),
  ).find(({ module: from, base }) => from === WASI && base === 'fd_write');
  if (imported === undefined) return;
  const { name, params, results } = imported;
  module.removeFunction(name);
  module.addFunctionImport('test.write', WASI, 'fd_write', params, results);
  const given = binaryen.expandType(params).map((type, index) => module.local.get(index, type));
  const calls = [module.call(WAIT, [], binaryen.none), module.call('test.write', given, results)];
  module.addFunction(name, params, results, [], module.block(null, calls, results));
}
