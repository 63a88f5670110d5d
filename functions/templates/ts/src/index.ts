addEventListener('fetch', (event) => {
  const asked = event as FetchEvent;
  asked.respondWith(answer(asked.request));
});

async function answer(request: Request): Promise<Response> {
  const name = new URL(request.url).searchParams.get('name') ?? (await request.text()).trim();
  return new Response(`Hello, ${name || 'stranger'}!\n`);
}
