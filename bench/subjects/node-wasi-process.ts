/** The process in which node:wasi is measured. It wants files for streams. */

import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { expectOutput, type NodeWasiTask } from './wasi.ts';

const { path, input, expected, warmUp, count } = JSON.parse(process.argv[2] ?? '') as NodeWasiTask;
const module = new WebAssembly.Module(readFileSync(path));
const inputPath = join(tmpdir(), `nebula-bench-${process.pid}.in`);
const outputPath = join(tmpdir(), `nebula-bench-${process.pid}.out`);
writeFileSync(inputPath, input);
const stdout = openSync(outputPath, 'w');

function call(): void {
  const stdin = openSync(inputPath, 'r');
  const wasi = new WASI({ version: 'preview1', stdin, stdout, returnOnExit: true });
  wasi.start(new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports));
  closeSync(stdin);
}

call();
expectOutput('node-wasi', readFileSync(outputPath, 'utf8'), expected);
for (let left = warmUp; left > 0; left--) call();
globalThis.gc?.();
const times: number[] = [];
for (let left = count; left > 0; left--) {
  const startMs = performance.now();
  call();
  times.push((performance.now() - startMs) * 1000);
}
closeSync(stdout);
unlinkSync(inputPath);
unlinkSync(outputPath);
process.send?.(times);
process.disconnect();
