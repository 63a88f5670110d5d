/** The entry `nebula-faas/fastify`: the functions of a Nebula in a Fastify application. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { argumentError } from '../../host/errors.ts';
import type { Nebula } from '../api/nebula.ts';
import { createMount } from '../triggers/http/mount.ts';
import type { MountOptions } from '../triggers/http/mount-options.ts';

export type { MountOptions };

/** Options of the plugin; Fastify itself takes `prefix` of them. */
export interface NebulaPluginOptions extends MountOptions {
  readonly nebula: Nebula;
}

/** As much of Fastify as is used. */
interface Instance {
  readonly prefix: string;
  removeAllContentTypeParsers(): void;
  addContentTypeParser(type: '*', parse: (request: object, body: object, done: (error: null) => void) => void): void;
  all(path: string, handle: (request: FastifyRequest, reply: FastifyReply) => void): void;
}

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly ip: string;
}

interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): void;
}

/**
 * A plugin for `app.register(nebulaPlugin, { nebula, prefix: '/nebula' })`, with the routes of `nebula serve` below the prefix. Bodies
 * are streamed, whatever the application does with its own; its hooks run before. What fails is answered as
 * application/problem+json. The Nebula stays the application's to close.
 * @throws TypeError for options without a Nebula, or a token that is none
 */
export async function nebulaPlugin(app: object, { nebula, ...options }: NebulaPluginOptions): Promise<void> {
  if (typeof nebula?.invoke !== 'function') throw argumentError('options.nebula', 'a Nebula', nebula);
  const instance = app as Instance;
  const mount = createMount(nebula, options);
  // Whoever answers reads the body.
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('*', (_request, _body, done) => done(null));
  const handle = ({ raw, ip }: FastifyRequest, reply: FastifyReply): void => {
    const target = (raw.url ?? '/').slice(instance.prefix.length);
    mount({
      request: raw,
      response: reply.raw,
      target: target.startsWith('/') ? target : `/${target}`,
      remoteAddress: ip,
    });
    // From here on the response is Nebula's; what the above throws is still Fastify's to answer.
    reply.hijack();
  };
  instance.all('/*', handle);
}
