/** `nebula new`: a folder to begin with. */

import type { Template } from '../build/template-names.ts';
import { makeFolder } from '../build/templates.ts';
import { print } from './streams.ts';

/** Options of `new`. */
export interface NewOptions {
  readonly template: Template;
  readonly json?: boolean;
}

/** Makes the folder and says what to do in it. */
export async function makeNew(options: NewOptions, name: string): Promise<void> {
  const made = await makeFolder(name, options.template);
  const steps = [`cd ${name}`, ...made.next, 'npx nebula dev'].map((step) => `  ${step}`);
  await print(options.json === true, made, () =>
    [`Made ${name}: ${made.files.join(', ')}. Next:`, ...steps].join('\n'),
  );
}
