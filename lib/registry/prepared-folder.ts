/**
 * A transpiled component as a folder: the glue, the core modules, the WIT and `prepared.json`, which names the component
 * and the digest of each file. The digests tell damage, not malice: against that all glue is held to the shape of
 * what jco writes before it is deployed (host/component/prepare/glue/check.ts).
 */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UTF8_DECODER } from '../../host/bytes.ts';
import type { TranspiledComponent } from '../../host/definition/prepared-component.ts';
import { messageOf, NebulaError } from '../../host/errors.ts';
import { writeDurably } from './durable-file.ts';
import { readShared } from './shared-file.ts';
import { digestInTurns, digestOf } from './digest.ts';

/** The file that makes a folder one of a prepared component. */
const PREPARED_NAME = 'prepared.json';

/** Raised when the transpiler's output or what is expected of it changes. */
const FORMAT = 5;
const GLUE_NAME = 'component.js';
const WIT_NAME = 'component.wit';
const CORE_NAME = /^component\.core\d*\.wasm$/;

interface PreparedRecord {
  readonly format: number;
  readonly digest: string;
  readonly sizeBytes: number;
  /** SHA-256 by file name, core modules in the order the glue counts them. */
  readonly files: Readonly<Record<string, string>>;
}

/** Writes the folder; `prepared.json` comes last, so that one without it is no prepared component. */
export async function writePrepared(folder: string, component: TranspiledComponent): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files: Record<string, string> = {};
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    files[name] = typeof content === 'string' ? digestOf(content) : await digestInTurns(content);
    await writeDurably(join(folder, name), content);
  };
  await write(GLUE_NAME, component.glue);
  await write(WIT_NAME, component.wit);
  for (const { file, bytes } of component.cores) await write(file, bytes);
  const { digest, sizeBytes } = component;
  const record: PreparedRecord = { format: FORMAT, digest, sizeBytes, files };
  await writeDurably(join(folder, PREPARED_NAME), `${JSON.stringify(record, undefined, 2)}\n`);
}

/**
 * Reads a folder that `writePrepared` wrote; undefined when it has no `prepared.json`.
 * @throws NebulaError PREPARED_INVALID
 */
export async function readPrepared(folder: string): Promise<TranspiledComponent | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, PREPARED_NAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(folder, error);
  }
  try {
    return await readFiles(folder, JSON.parse(text) as PreparedRecord);
  } catch (error) {
    throw invalid(folder, error);
  }
}

async function readFiles(folder: string, record: PreparedRecord): Promise<TranspiledComponent> {
  const { format, digest, sizeBytes, files } = record;
  if (format !== FORMAT) throw new Error(`expected format ${FORMAT}, got ${String(format)}`);
  if (typeof digest !== 'string' || typeof sizeBytes !== 'number' || typeof files !== 'object' || files === null) {
    throw new Error(`${PREPARED_NAME} lacks digest, sizeBytes or files`);
  }
  const read = async (name: string): Promise<Uint8Array> => {
    const content = await readShared(join(folder, name));
    if ((await digestInTurns(content)) !== files[name]) throw new Error(`${name} is not what ${PREPARED_NAME} says`);
    return content;
  };
  const names = Object.keys(files).filter((name) => CORE_NAME.test(name));
  const cores = await Promise.all(names.map(async (file) => ({ file, bytes: await read(file) })));
  const [glue, wit] = await Promise.all([read(GLUE_NAME), read(WIT_NAME)]);
  return { digest, sizeBytes, glue: UTF8_DECODER.decode(glue), wit: UTF8_DECODER.decode(wit), cores };
}

function invalid(path: string, cause: unknown): NebulaError {
  return new NebulaError('PREPARED_INVALID', { path, detail: messageOf(cause) }, { cause });
}
