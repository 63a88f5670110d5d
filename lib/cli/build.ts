/** `nebula build`: a function's module from the sources in its folder. */

import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { buildFunction } from '../build/build.ts';
import { withProgress } from './progress.ts';
import { untilSignal } from './signals.ts';
import { print } from './streams.ts';

/** Options of `build`. */
export interface BuildCommandOptions {
  readonly json?: boolean;
}

/** Builds what is in a folder, and says what deploys it. Ctrl-C ends the tools with it. */
export async function build(options: BuildCommandOptions, folder = '.'): Promise<void> {
  const ended = untilSignal();
  try {
    const { name, modulePath, deployable } = await withProgress(`Building ${folder}`, (say) =>
      buildFunction(folder, { say: (step) => say(`Building ${folder}: ${step}`), signal: ended.signal }),
    );
    const { size: sizeBytes } = await stat(modulePath);
    const shown = relative('', modulePath);
    await print(
      options.json === true,
      { name, module: modulePath, sizeBytes },
      () =>
        `Built ${shown}, ${Math.ceil(sizeBytes / 1024)} KiB; "nebula deploy ${relative('', deployable) || '.'}" deploys it`,
    );
  } finally {
    ended.forget();
  }
}
