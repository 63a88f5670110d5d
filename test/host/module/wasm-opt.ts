/** Binaryen's generator of random modules (`wasm-opt -ttf`), run in this process: a process for each would take most of the time. */

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';

const require = createRequire(import.meta.url);

/** Runs `main` of the program, which reads and writes files as a process of it would. */
const MAIN = `;Module.main=(args)=>{args.unshift(thisProgram);const top=stackSave();
  const argv=stackAlloc((args.length+1)*4);let at=argv;
  for(const arg of args){HEAPU32[at>>>2>>>0]=stringToUTF8OnStack(arg);at+=4}HEAPU32[at>>>2>>>0]=0;
  try{_main(args.length,argv)}catch(e){if(e.status!==0)throw e}finally{stackRestore(top)}}`;

type Main = (args: string[]) => void;

/** Its memory grows with each run. */
const MOST_RUNS = 500;

/** Makes modules of random bytes. */
export class RandomModules {
  readonly #folder: string;
  readonly #source: string;
  #main: Main | undefined;
  #runs = 0;

  /** @param folder for its files */
  constructor(folder: string) {
    this.#folder = folder;
    const package_ = require.resolve('binaryen/package.json');
    this.#source = readFileSync(join(package_, '..', 'bin', 'wasm-opt'), 'utf8');
  }

  /** The module that the bytes come to. @param flags of wasm-opt: features, passes */
  async make(random: Uint8Array, flags: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
    const from = join(this.#folder, 'random');
    const to = join(this.#folder, 'module.wasm');
    writeFileSync(from, random);
    if (this.#main === undefined || this.#runs++ % MOST_RUNS === 0) this.#main = await this.#load();
    this.#main(['-ttf', from, '-o', to, '--quiet', ...flags]);
    return new Uint8Array(readFileSync(to));
  }

  async #load(): Promise<Main> {
    const module: { noInitialRun: boolean; onRuntimeInitialized?: () => void; main?: Main } = { noInitialRun: true };
    const ready = new Promise<void>((resolve) => (module.onRuntimeInitialized = resolve));
    const parameters = ['Module', 'require', '__filename', '__dirname'];
    const script = this.#source.slice(this.#source.indexOf('\n')) + MAIN;
    compileFunction(script, parameters)(module, require, 'wasm-opt', '.');
    await ready;
    if (module.main === undefined) throw new Error('wasm-opt is not as it was');
    return module.main;
  }
}
