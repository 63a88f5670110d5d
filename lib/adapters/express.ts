/** The entry `nebula-faas/express`: the functions of a Nebula in an Express application. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Nebula } from '../api/nebula.ts';
import { createMount } from '../triggers/http/mount.ts';
import type { MountOptions } from '../triggers/http/mount-options.ts';

export type { MountOptions };

/** What Express calls for each request. */
export type ExpressHandler = (request: object, response: object, next: (error?: unknown) => void) => void;

/**
 * A handler for `app.use('/nebula', ...)`, with the routes of `nebula serve` below that path. It goes before what parses bodies:
 * they are streamed. What fails is answered as application/problem+json.
 * @throws TypeError for a token that is none
 */
export function nebulaHandler(nebula: Nebula, options: MountOptions = {}): ExpressHandler {
  const mount = createMount(nebula, options);
  return (request, response, next) => {
    // Express has taken the mount's path off `url`, and considered its `trust proxy` for `ip`.
    const { url = '/', ip } = request as IncomingMessage & { readonly ip?: string };
    try {
      mount({
        request: request as IncomingMessage,
        response: response as ServerResponse,
        target: url,
        remoteAddress: ip,
      });
    } catch (error) {
      next(error);
    }
  };
}
