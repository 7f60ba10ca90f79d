/** Somebody who looks at a console, as far as its server can tell: loads the page, and reads its events until they end. */
const [, , url = ''] = process.argv;
process.once('disconnect', () => process.exit(0));

for (const part of ['/', '/page.js', '/page.css']) await (await fetch(url + part)).arrayBuffer();
const events = await fetch(`${url}/events`);
process.send?.('looking');
let bytes = 0;
for await (const chunk of events.body ?? []) bytes += chunk.length;
console.log(`read ${bytes} bytes`);
