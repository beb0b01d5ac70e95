// Answers for the pages of a book that its reader keeps on the device. It remembers nothing itself: which version is in
// use stands in a cache of its own, and each version is another cache, which keeping.mjs has filled and checked.

const NAME = `kept ${new URL(registration.scope).pathname} `;
const LOOSELY = {ignoreVary: true};

async function answer(event) {
  const {request} = event;
  const used = await (await caches.match(`${registration.scope}keep.json`, {cacheName: `${NAME}version`}))?.json();
  if (!used) return fetch(request);
  const url = new URL(request.url);
  [url.search, url.hash] = ["", ""];
  if (url.pathname.endsWith("/")) url.pathname += "index.html";
  const stored = await caches.match(url.href, {cacheName: `${NAME}files ${used.version}`, ...LOOSELY});
  if (stored) return stored;
  return url.href.startsWith(new URL(used.python, registration.scope).href) ? python(event, url.href, used) : fetch(request);
}

// Python never changes at its address, so each of its files is kept when it comes by.
async function python(event, address, used) {
  const cacheName = `${NAME}python ${used.pythonVersion}`;
  const stored = await caches.match(address, {cacheName, ...LOOSELY});
  if (stored) return stored;
  const fresh = await fetch(event.request);
  if (fresh.ok && fresh.type !== "opaque") {
    const copy = fresh.clone();
    event.waitUntil(caches.open(cacheName).then((cache) => cache.put(address, copy)).catch(() => { /* no room */ }));
  }
  return fresh;
}

addEventListener("install", () => skipWaiting()); // a new worker serves the same version of the book as the old one
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const asksForNew = event.request.url.includes("?kept="); // keeping.mjs, which fetches a version
  if (event.request.method === "GET" && !asksForNew) event.respondWith(answer(event));
});
addEventListener("message", (event) => { // how many windows show the book
  event.waitUntil(clients.matchAll({type: "window"}).then((found) => event.ports[0].postMessage(found.length)));
});
