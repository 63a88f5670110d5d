#!/usr/bin/env node
/** The `nebula` command. The only file here that looks at the process' arguments. */

import { wholeArguments } from './command-line.ts';
import { exitCodeOf, reportFailure } from './failure.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync(readArguments(), { from: 'user' });
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function readArguments(): readonly string[] {
  try {
    return wholeArguments(process.argv.slice(2));
  } catch (error) {
    reportFailure(error, false);
    throw error;
  }
}
