/** An upstream that takes its time: `GET /MS` is answered after so many milliseconds. Argument 1 is its port. */

import { createServer } from 'node:http';

const server = createServer((request, response) => {
  setTimeout(() => response.end('x'), Number(request.url?.slice(1)));
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
