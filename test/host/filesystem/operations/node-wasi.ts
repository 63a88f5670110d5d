/** Runs sequences under node:wasi: a folder with their scripts, the first and the last of them, are its arguments. */

import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { fill } from './targets.ts';

const [folder = '', from = '0', to = '0'] = process.argv.slice(2);
const functions = join(import.meta.dirname, '..', '..', '..', '..', '..', 'functions');
const guest = readFileSync(join(functions, 'guests', 'file-operations', 'file-operations.wasm'));
const module = new WebAssembly.Module(new Uint8Array(guest));
const mount = join(folder, `mount-${from}`);
mkdirSync(mount);
for (let at = Number(from); at < Number(to); at++) {
  fill(mount);
  const stdin = openSync(join(folder, `${at}.in`), 'r');
  const stdout = openSync(join(folder, `${at}.out`), 'w');
  const wasi = new WASI({ version: 'preview1', preopens: { '/data': mount }, stdin, stdout, returnOnExit: true });
  wasi.start(new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports));
  closeSync(stdin);
  closeSync(stdout);
}
