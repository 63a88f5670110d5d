/**
 * The least that a proxy on Node can do: node:http in front, undici behind, everything passed on. `/` asks nobody. Argument 1 is its
 * port, argument 2 the upstream's origin.
 */

import { createServer } from 'node:http';
import { Pool } from 'undici';

const [, , port, origin] = process.argv as [string, string, string, string];
const upstream = new Pool(origin, { connections: null, pipelining: 1 });
const server = createServer((request, response) => {
  const path = request.url ?? '/';
  if (path === '/') {
    response.end();
    return;
  }
  upstream.request({ path, method: 'GET' }).then(
    ({ statusCode, headers, body }) => {
      delete headers['connection'];
      delete headers['keep-alive'];
      response.writeHead(statusCode, headers as Record<string, string>);
      body.pipe(response);
    },
    () => {
      response.statusCode = 502;
      response.end();
    },
  );
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
