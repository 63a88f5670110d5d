/** Images of functions: one that the engine has, or one built of a program and nothing else. */

import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { argumentError, messageOf, NebulaError } from '../../host/errors.ts';
import { checkBinary } from '../native/elf.ts';
import type { ContainerDefinition } from './definition.ts';
import { removed, type Engine } from './engine.ts';
import { connectionError, engineError, statusOf } from './engine-error.ts';
import { FUNCTION_LABEL } from './owner.ts';
import { tarOf } from './tar.ts';

export interface FunctionImage {
  /** What containers are created from. */
  readonly reference: string;
  /** The engine's id of it: the digest of its configuration. */
  readonly id: string;
  /** Whether it was made here and goes with its function. */
  readonly built: boolean;
}

/** A line of the engine's report on a build. */
interface BuildLine {
  readonly error?: string;
  /** The image, once it is built. */
  readonly aux?: { readonly ID?: string };
}

/** @throws NebulaError BINARY_INVALID, IMAGE_BUILD, IMAGE_MISSING, DOCKER_UNAVAILABLE */
export async function prepareImage(engine: Engine, { name, source }: ContainerDefinition): Promise<FunctionImage> {
  if ('image' in source) {
    const id = await findImage(engine, name, source.image);
    return { reference: id, id, built: false };
  }
  checkBinary(name, source.binary, source.base === undefined);
  return buildImage(engine, name, source.binary, source.base ?? 'scratch');
}

export async function discardImage(engine: Engine, image: FunctionImage): Promise<void> {
  if (image.built) await removed(engine.docker.getImage(image.reference).remove({ force: true }));
}

/** The image's id: what the name means later does not change a version that is deployed. */
async function findImage(engine: Engine, name: string, image: string): Promise<string> {
  try {
    return (await engine.docker.getImage(image).inspect()).Id;
  } catch (error) {
    if (statusOf(error) === 404) throw new NebulaError('IMAGE_MISSING', { image }, { cause: error });
    throw engineError(error, engine.socket, name, 'look up the image');
  }
}

/** What an image's reference may hold; a line break in a base would be an instruction of its own. */
const REFERENCE = /^[\w][\w.:/@-]*$/;

async function buildImage(engine: Engine, name: string, binary: Uint8Array, base: string): Promise<FunctionImage> {
  if (!REFERENCE.test(base)) throw argumentError('base', 'the reference of an image', base);
  const dockerfile = `FROM ${base}\nCOPY function /function\nENTRYPOINT ["/function"]\n`;
  const context = tarOf([
    { path: 'Dockerfile', bytes: Buffer.from(dockerfile), mode: 0o644 },
    { path: 'function', bytes: binary, mode: 0o755 },
  ]);
  const reference = `nebula-function:${engine.nextName()}`;
  const labels = { ...engine.labels(), [FUNCTION_LABEL]: name };
  try {
    // From its cache the engine would take layers that another owner's removal deletes before this build has ended.
    const options = { t: reference, labels, forcerm: true, nocache: true };
    const report = await engine.docker.buildImage(Readable.from([context]), options);
    const lines = await followBuild(engine, report);
    const id = lines.findLast(({ aux }) => aux?.ID !== undefined)?.aux?.ID;
    const detail =
      lines.find(({ error }) => error !== undefined)?.error ?? 'its report ended before the image was built';
    if (id === undefined) throw new NebulaError('IMAGE_BUILD', { name, detail });
    return { reference, id, built: true };
  } catch (error) {
    if (error instanceof NebulaError) throw error;
    if (statusOf(error) === undefined) throw connectionError(error, engine.socket);
    throw new NebulaError('IMAGE_BUILD', { name, detail: messageOf(error) }, { cause: error });
  }
}

function followBuild(engine: Engine, report: NodeJS.ReadableStream): Promise<BuildLine[]> {
  return new Promise((resolve, reject) => {
    engine.docker.modem.followProgress(report, (error: Error | null, lines: BuildLine[]) => {
      if (error === null) resolve(lines);
      else reject(error);
    });
  });
}
