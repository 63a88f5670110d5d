// A wasi:http component in JavaScript: answers, streams both ways, calls out, and misbehaves when asked to.

/** Counts in the component's own memory: a fresh instance always answers 1. */
let calls = 0;

const routes = {
  '/hello': (request, url) => new Response(`Hello, ${url.searchParams.get('name') ?? 'world'}!\n`),
  '/count': () => new Response(`${(calls += 1)}\n`),
  '/echo': (request) =>
    new Response(request.body, {
      headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' },
    }),
  '/describe': async (request, url) =>
    Response.json({
      method: request.method,
      path: url.pathname + url.search,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    }),
  '/stream': (request, url) => new Response(lines(Number(url.searchParams.get('lines') ?? '3'))),
  '/call': async (request, url) => {
    const answer = await fetch(url.searchParams.get('url'));
    return new Response(`${answer.status} ${await answer.text()}`);
  },
  '/spin': () => {
    for (;;) calls += 1;
  },
  '/throw': () => {
    throw new Error('the component throws');
  },
};

function lines(count) {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent === count) controller.close();
      else controller.enqueue(encoder.encode(`line ${(sent += 1)}\n`));
    },
  });
}

async function handle(request) {
  const url = new URL(request.url);
  const route = routes[url.pathname];
  if (route === undefined) return new Response('Not found\n', { status: 404 });
  return route(request, url);
}

addEventListener('fetch', (event) => event.respondWith(handle(event.request)));
