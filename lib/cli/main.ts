#!/usr/bin/env node
/** The `nebula` command. The only file here that looks at the process' arguments. */

import { exitCodeOf } from './failure.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
