addEventListener('fetch', (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const name = new URL(request.url).searchParams.get('name') ?? (await request.text()).trim();
  return new Response(`Hello, ${name || 'stranger'}!\n`);
}
