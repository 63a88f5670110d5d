/**
 * wasmtime through its C API, where WASMTIME_LIB names a libwasmtime.so: a peer that is no JavaScript. The engine pools its memories and
 * maps their initial content copy-on-write; each call has a store, a WASI context and an instance of its own.
 * Source: crates/c-api/include of bytecodealliance/wasmtime: wasi.h, wasmtime/{config,linker,instance,func,store,error}.h.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import type { Subject } from '../measurement/series.ts';
import { expectOutput } from './wasi.ts';

/** Addresses are numbers, which cross into C more cheaply than a bigint. What is filled in is handed over as bytes. */
const PROTOTYPES = {
  configNew: 'uintptr_t wasm_config_new()',
  configCow: 'void wasmtime_config_memory_init_cow_set(uintptr_t, bool)',
  configPool: 'void wasmtime_pooling_allocation_strategy_set(uintptr_t, uintptr_t)',
  poolNew: 'uintptr_t wasmtime_pooling_allocation_config_new()',
  poolMemories: 'void wasmtime_pooling_allocation_config_total_memories_set(uintptr_t, uint32_t)',
  poolDelete: 'void wasmtime_pooling_allocation_config_delete(uintptr_t)',
  engineNew: 'uintptr_t wasm_engine_new_with_config(uintptr_t)',
  engineDelete: 'void wasm_engine_delete(uintptr_t)',
  moduleNew: 'uintptr_t wasmtime_module_new(uintptr_t, void *, size_t, void *)',
  moduleDelete: 'void wasmtime_module_delete(uintptr_t)',
  linkerNew: 'uintptr_t wasmtime_linker_new(uintptr_t)',
  linkerWasi: 'uintptr_t wasmtime_linker_define_wasi(uintptr_t)',
  linkerPrepare: 'uintptr_t wasmtime_linker_instantiate_pre(uintptr_t, uintptr_t, void *)',
  linkerDelete: 'void wasmtime_linker_delete(uintptr_t)',
  instantiate: 'uintptr_t wasmtime_instance_pre_instantiate(uintptr_t, uintptr_t, void *, void *)',
  preparedDelete: 'void wasmtime_instance_pre_delete(uintptr_t)',
  exportGet: 'bool wasmtime_instance_export_get(uintptr_t, void *, str, size_t, void *)',
  call: 'uintptr_t wasmtime_func_call(uintptr_t, void *, uintptr_t, size_t, uintptr_t, size_t, void *)',
  storeNew: 'uintptr_t wasmtime_store_new(uintptr_t, uintptr_t, uintptr_t)',
  storeContext: 'uintptr_t wasmtime_store_context(uintptr_t)',
  storeWasi: 'uintptr_t wasmtime_context_set_wasi(uintptr_t, uintptr_t)',
  storeDelete: 'void wasmtime_store_delete(uintptr_t)',
  wasiNew: 'uintptr_t wasi_config_new()',
  wasiInput: 'void wasi_config_set_stdin_bytes(uintptr_t, void *)',
  wasiOutput: 'void wasi_config_set_stdout_custom(uintptr_t, uintptr_t, uintptr_t, uintptr_t)',
  bytesNew: 'void wasm_byte_vec_new(void *, size_t, void *)',
  bytesDelete: 'void wasm_byte_vec_delete(void *)',
  errorMessage: 'void wasmtime_error_message(uintptr_t, void *)',
  errorExit: 'bool wasmtime_error_exit_status(uintptr_t, void *)',
  errorDelete: 'void wasmtime_error_delete(uintptr_t)',
  trapMessage: 'void wasm_trap_message(uintptr_t, void *)',
  trapDelete: 'void wasm_trap_delete(uintptr_t)',
} as const;

type Native = Readonly<Record<keyof typeof PROTOTYPES, (...values: unknown[]) => number>>;

/** Memories that the pool keeps addresses for: one is in use at a time. */
const POOLED_MEMORIES = 4;
/** `wasm_byte_vec_t`: size and address. */
const BYTES_SIZE = 16;
/** More than a `wasmtime_instance_t` or a `wasmtime_extern_t` takes in any version. */
const ITEM_SIZE = 64;
/** Where a `wasmtime_extern_t` holds its item, behind its kind. */
const ITEM_AT = 8;

/** A call of wasmtime that failed. */
class Failures {
  readonly #native: Native;
  readonly #koffi: typeof Koffi;

  constructor(native: Native, koffi: typeof Koffi) {
    this.#native = native;
    this.#koffi = koffi;
  }

  /** @throws Error with what wasmtime says of an error; none for 0, and none for a guest that ended with exit code 0 */
  check(error: number, trap: BigUint64Array): void {
    if (error !== 0) this.#fail(error, this.#native.errorMessage, this.#native.errorDelete);
    const address = Number(trap[0]);
    if (address === 0) return;
    trap[0] = 0n;
    this.#fail(address, this.#native.trapMessage, this.#native.trapDelete);
  }

  #fail(address: number, tell: Native['errorMessage'], forget: Native['errorDelete']): void {
    const status = new Int32Array(1);
    const isExit = forget === this.#native.errorDelete && Boolean(this.#native.errorExit(address, status));
    const message = new BigUint64Array(BYTES_SIZE / 8);
    tell(address, message);
    const text = this.#textOf(message);
    this.#native.bytesDelete(message);
    forget(address);
    if (!isExit || status[0] !== 0) throw new Error(`Cannot measure wasmtime: ${text}`);
  }

  #textOf([sizeBytes = 0n, address = 0n]: BigUint64Array): string {
    if (sizeBytes === 0n) return 'it failed';
    const bytes = this.#koffi.decode(address, 'uint8_t', Number(sizeBytes)) as Uint8Array;
    return Buffer.from(bytes).toString('utf8');
  }
}

/** One module in wasmtime. */
class WasmtimeModule {
  readonly #native: Native;
  readonly #koffi: typeof Koffi;
  readonly #failures: Failures;
  readonly #engine: number;
  readonly #module: number;
  readonly #linker: number;
  readonly #prepared: number;
  readonly #writer: bigint;
  readonly #callback: number;
  readonly #trap: BigUint64Array = new BigUint64Array(1);
  readonly #stdin: BigUint64Array = new BigUint64Array(BYTES_SIZE / 8);
  readonly #instance: Uint8Array = new Uint8Array(ITEM_SIZE);
  readonly #item: Uint8Array = new Uint8Array(ITEM_SIZE);
  readonly #start: Uint8Array = this.#item.subarray(ITEM_AT);
  output: Uint8Array = new Uint8Array();

  constructor(library: string, module: Uint8Array) {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const loaded = koffi.load(library);
    const native = Object.fromEntries(
      Object.entries(PROTOTYPES).map(([name, prototype]) => [name, loaded.func(prototype)]),
    ) as unknown as Native;
    this.#koffi = koffi;
    this.#native = native;
    this.#failures = new Failures(native, koffi);
    const config = native.configNew();
    native.configCow(config, true);
    const pool = native.poolNew();
    native.poolMemories(pool, POOLED_MEMORIES);
    native.configPool(config, pool);
    native.poolDelete(pool);
    this.#engine = native.engineNew(config);
    this.#module = this.#made((at) => native.moduleNew(this.#engine, module, module.length, at));
    this.#linker = native.linkerNew(this.#engine);
    this.#check(native.linkerWasi(this.#linker));
    this.#prepared = this.#made((at) => native.linkerPrepare(this.#linker, this.#module, at));
    const write = koffi.proto('intptr_t (void *, void *, size_t)');
    this.#writer = koffi.register(this.#write, koffi.pointer(write));
    this.#callback = Number(this.#writer);
  }

  /** Runs it once on an input; its output is here then. @throws Error when it fails */
  run(input: Uint8Array): void {
    const native = this.#native;
    const store = native.storeNew(this.#engine, 0, 0);
    try {
      const context = native.storeContext(store);
      const wasi = native.wasiNew();
      native.bytesNew(this.#stdin, input.length, input);
      native.wasiInput(wasi, this.#stdin);
      native.wasiOutput(wasi, this.#callback, 0, 0);
      this.#check(native.storeWasi(context, wasi));
      this.#check(native.instantiate(this.#prepared, context, this.#instance, this.#trap));
      if (!native.exportGet(context, this.#instance, '_start', 6, this.#item))
        throw new Error('Cannot measure wasmtime: the module exports no _start');
      this.#check(native.call(context, this.#start, 0, 0, 0, 0, this.#trap));
    } finally {
      native.storeDelete(store);
    }
  }

  close(): void {
    const native = this.#native;
    native.preparedDelete(this.#prepared);
    native.linkerDelete(this.#linker);
    native.moduleDelete(this.#module);
    native.engineDelete(this.#engine);
    this.#koffi.unregister(this.#writer);
  }

  readonly #write = (_data: unknown, from: bigint, sizeBytes: number): number => {
    const bytes = this.#koffi.decode(from, 'uint8_t', sizeBytes) as Uint8Array;
    this.output = this.output.length === 0 ? bytes : Buffer.concat([this.output, bytes]);
    return sizeBytes;
  };

  /** What a call fills in the address of. */
  #made(make: (at: BigUint64Array) => number): number {
    const at = new BigUint64Array(1);
    this.#check(make(at));
    return Number(at[0]);
  }

  #check(error: number): void {
    if (error !== 0 || this.#trap[0] !== 0n) this.#failures.check(error, this.#trap);
  }
}

/** wasmtime; undefined when no library is named. @throws Error when it does not load, or answers something else */
export function wasmtime(
  library: string | undefined,
  { path, input, expected }: { readonly path: string; readonly input: string; readonly expected: string },
): Subject | undefined {
  if (library === undefined || library === '') return undefined;
  const module = new WasmtimeModule(library, readFileSync(path));
  const bytes = new TextEncoder().encode(input);
  const none = new Uint8Array();
  const run = (): void => {
    module.output = none;
    module.run(bytes);
  };
  run();
  expectOutput('wasmtime', new TextDecoder().decode(module.output), expected);
  return { name: 'wasmtime', run, close: () => module.close() };
}
