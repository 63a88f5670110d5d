/** A deploy on a thread of the pool, from the chore to what it found out. */

import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Deployment } from '../../host/snapshot/deployment.ts';
import { isNebulaError } from '../../host/errors.ts';
import type { Chore, ChoreAnswer } from './messages.ts';
import { errorOf, workerLost } from './refusals.ts';

/** What a deploy needs of the pool. */
export interface Deployer {
  /** Does something for the function on the next idle thread, before any invocation that waits. */
  perform(chore: Chore): Promise<ChoreAnswer>;
  /** Has threads give up memories that they do not need now. */
  makeRoom(): Promise<void>;
}

/**
 * Makes a function ready on one thread; where the address space is full, once more after others have given some up.
 * @throws NebulaError of `deployHere`, WORKER_LOST, CLOSED
 */
export async function deployOnThread(definition: FunctionDefinition, deployer: Deployer): Promise<Deployment> {
  let answer = await perform(definition, deployer);
  if (!answer.ok && answer.failure?.name === 'ADDRESS_SPACE') {
    await deployer.makeRoom();
    answer = await perform(definition, deployer);
  }
  if (!answer.ok) throw errorOf(definition, answer);
  if (answer.deployment === undefined) throw workerLost(definition, 'it answered without a deployment');
  return answer.deployment;
}

async function perform(definition: FunctionDefinition, deployer: Deployer): Promise<ChoreAnswer> {
  try {
    return await deployer.perform({ op: 'deploy', definition });
  } catch (error) {
    throw isNebulaError(error) ? error : workerLost(definition, error);
  }
}
