/**
 * The command `docker run --rm -i`, as a person types it and as the thesis called it: the command starts, asks the engine,
 * copies streams, and ends when the container is removed.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createContainerExecutor } from '../../../pools/container/executor.ts';
import { sha256, type ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import { STAMP_ENVIRONMENT } from '../stamps.ts';
import type { Deployed, Target } from '../target.ts';
import { callCommand } from './command-call.ts';
import { defineContainer } from './native.ts';

const execute = promisify(execFile);

/** Opens the docker command. @throws Error when there is none, or no engine answers */
export async function openDockerRun(name: TargetName, plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  await execute('docker', ['--version']).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Error('there is no docker command on the PATH') : error;
  });
  // Builds the images and takes them away again; it runs none of them.
  const executor = createContainerExecutor();
  const deployed: Deployed[] = [];
  const images = new Map<string, string>();
  try {
    for (const functionName of new Set(cases.map((test) => test.function))) {
      const { definition, binary } = await defineContainer(functionName, { mode: 'cold', network: 'bridge' }, plan);
      const { reason, imageId } = await executor.deploy(definition);
      if (imageId === undefined) throw new Error(`the engine told no image of ${functionName}`);
      images.set(functionName, imageId);
      deployed.push({
        function: functionName,
        digest: sha256(binary),
        sizeBytes: binary.length,
        imageId,
        detail: reason,
      });
    }
  } catch (error) {
    await executor.close(0);
    throw error;
  }
  let calls = 0;
  const environment = Object.entries(STAMP_ENVIRONMENT).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  return {
    name,
    isCold: true,
    deployed,
    refuses: () => undefined,
    // The command has waited for the removal.
    settled: () => Promise.resolve(0),
    call: ({ function: functionName, bytes }) => {
      const container = `nebula-run-${process.pid}-${calls++}`;
      const image = images.get(functionName) as string;
      const given = ['run', '--rm', '-i', '--name', container, ...environment, image];
      // The command passes signals on, which a program that is the first of its container need not heed.
      const onTimeout = (): void => void execute('docker', ['rm', '--force', container]).catch(() => undefined);
      return callCommand({ command: 'docker', arguments: given, timeoutMs: plan.timeoutMs, onTimeout }, bytes);
    },
    close: () => executor.close(0),
  };
}
