/** Images of functions: one that the engine has, or one built of a program and nothing else. */

import { Buffer } from 'node:buffer';
import { argumentError, messageOf, NebulaError } from '../../host/errors.ts';
import { checkBinary } from '../native/elf.ts';
import type { ContainerDefinition } from './definition.ts';
import { EngineError } from './engine/engine.ts';
import { connectionError, engineError, isRefusal } from './engine/engine-error.ts';
import type { OwnedEngine } from './owned-engine.ts';
import { FUNCTION_LABEL } from './owner.ts';
import { tarOf } from './tar.ts';

/** The image that a function's containers are made from. */
export interface FunctionImage {
  /** What containers are created from. */
  readonly reference: string;
  /** The engine's id of it: the digest of its configuration. */
  readonly id: string;
  /** Whether it was made here and goes with its function. */
  readonly isBuilt: boolean;
}

/**
 * Finds or builds the image of a function.
 * @throws NebulaError BINARY_INVALID, IMAGE_BUILD, IMAGE_MISSING, DOCKER_UNAVAILABLE
 */
export async function prepareImage(engine: OwnedEngine, { name, source }: ContainerDefinition): Promise<FunctionImage> {
  if ('image' in source) {
    const id = await findImage(engine, name, source.image);
    return { reference: id, id, isBuilt: false };
  }
  checkBinary(name, source.binary, source.base === undefined);
  return buildImage(engine, name, source.binary, source.base ?? 'scratch');
}

/** Removes an image that was built; one that was there before stays. */
export async function discardImage({ engine }: OwnedEngine, image: FunctionImage): Promise<void> {
  if (image.isBuilt) await engine.remove('image', image.reference);
}

/** The image's id: what the name means later does not change a version that is deployed. */
async function findImage({ engine }: OwnedEngine, name: string, image: string): Promise<string> {
  try {
    return await engine.findImage(image);
  } catch (error) {
    if (error instanceof EngineError && error.fault === 'missing')
      throw new NebulaError('IMAGE_MISSING', { image }, { cause: error });
    throw engineError(error, engine.address, name, 'look up the image');
  }
}

/** What an image's reference may hold; a line break in a base would be an instruction of its own. */
const REFERENCE = /^[\w][\w.:/@-]*$/;

async function buildImage(owned: OwnedEngine, name: string, binary: Uint8Array, base: string): Promise<FunctionImage> {
  if (!REFERENCE.test(base)) throw argumentError('base', 'the reference of an image', base);
  const dockerfile = `FROM ${base}\nCOPY function /function\nENTRYPOINT ["/function"]\n`;
  const context = tarOf([
    { path: 'Dockerfile', bytes: Buffer.from(dockerfile), mode: 0o644 },
    { path: 'function', bytes: binary, mode: 0o755 },
  ]);
  const reference = `nebula-function:${owned.nextName()}`;
  const labels = { ...owned.labels(), [FUNCTION_LABEL]: name };
  try {
    const id = await owned.engine.buildImage(reference, context, labels);
    return { reference, id, isBuilt: true };
  } catch (error) {
    if (!isRefusal(error)) throw connectionError(error, owned.engine.address);
    throw new NebulaError('IMAGE_BUILD', { name, detail: messageOf(error) }, { cause: error });
  }
}
