// Keeps the book on the reader's device, looks for new versions, and removes it again.
//
// A version is a cache that holds every file of `keep-files.json`, each with the checksum noted there; that list, put
// last, says that it is whole. Only then the version is named as the one in use, for worker.js to answer from.

const AT_ONCE = 6; // files that are fetched at a time
const OF_THE_WAY = ["content-encoding", "content-length", "transfer-encoding", "vary"]; // not of what has arrived

export class Kept {
  constructor(root) {
    this.root = root;
    this.name = `kept ${new URL(root).pathname} `; // other sites may share the origin
  }

  // Why this browser cannot keep the book here, or nothing.
  get hindrance() {
    if (location.protocol === "file:") return "This page was opened from a file: the book is on your device already.";
    if (!isSecureContext) return "A browser keeps a site only if it comes by https; this one does not.";
    if (!navigator.serviceWorker || !globalThis.caches || !crypto.subtle || !navigator.locks) {
      return "This browser cannot keep sites, or a private window forbids it.";
    }
  }

  // What is known of the version in use, or undefined.
  async used() {
    return (await caches.match(`${this.root}keep.json`, {cacheName: `${this.name}version`}))?.json();
  }

  // What is known of the version that the site has now.
  async offered() { return (await this.get("keep.json", Date.now())).json(); }

  // Whether all of Python is there as well.
  async hasPython({python, pythonVersion, pythonFiles}) {
    const cacheName = `${this.name}python ${pythonVersion}`, base = new URL(python, this.root).href;
    const found = await Promise.all(pythonFiles.map((file) => caches.match(base + file, {cacheName, ignoreVary: true})));
    return found.every(Boolean);
  }

  // Fetch a version and use it; `tell(part)` hears how far it is. False if other windows show the old one.
  keep(version, tell = () => {}) {
    return navigator.locks.request(this.name, {ifAvailable: true}, async (lock) => {
      if (!lock) throw new Error("another tab fetches it already");
      await this.fill(version, tell);
      return this.use(version);
    });
  }

  async fill({version, bytes}, tell) {
    const list = `${this.root}keep-files.json`, cacheName = `${this.name}files ${version}`;
    if (await caches.match(list, {cacheName})) return; // it waited for other windows to close
    await caches.delete(cacheName); // what an interrupted try has left
    const old = await this.used().then((used) => used && caches.open(`${this.name}files ${used.version}`));
    const sums = await old?.match(list).then((known) => known?.json()) ?? {};
    try {
      const cache = await caches.open(cacheName), listing = await this.checked("keep-files.json", version);
      const queue = Object.entries(await listing.clone().json());
      let got = 0, broken = false;
      const work = async () => {
        for (let next; !broken && (next = queue.pop());) {
          const [path, [size, sum]] = next, address = this.root + encodeURI(path);
          const same = sums[path]?.[1] === sum && await old.match(address);
          await cache.put(address, same || await this.checked(path, sum));
          tell((got += size) / bytes);
        }
      };
      await Promise.all(Array.from({length: AT_ONCE}, work)).finally(() => { broken = true; });
      await cache.put(list, listing);
    } catch (error) {
      await caches.delete(cacheName);
      throw error;
    }
  }

  // A file as the site has it now, if it has the checksum.
  async checked(path, sum) {
    const answer = await this.get(path, sum.slice(0, 16)), content = await answer.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    if ([...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") !== sum) {
      throw new Error(`the book has just been changed (${path})`);
    }
    const headers = new Headers(answer.headers);
    for (const name of OF_THE_WAY) headers.delete(name);
    return new Response(content, {headers});
  }

  async get(path, mark) {
    const answer = await fetch(`${this.root}${encodeURI(path)}?kept=${mark}`, {cache: "no-store"});
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer;
  }

  async use(version) {
    if (await this.used() && await this.windows() > 1) return false;
    await navigator.serviceWorker.register(`${this.root}keep-worker.js`, {scope: this.root});
    const names = ["version", `files ${version.version}`, `python ${version.pythonVersion}`].map((name) => this.name + name);
    await (await caches.open(names[0])).put(`${this.root}keep.json`, new Response(JSON.stringify(version)));
    await this.drop((name) => !names.includes(name));
    navigator.storage?.persist?.(); // that the browser may not drop it where room is short
    return true;
  }

  async windows() {
    const {active} = await navigator.serviceWorker.ready, channel = new MessageChannel();
    return new Promise((done) => {
      channel.port1.onmessage = ({data}) => done(data);
      active.postMessage("windows", [channel.port2]);
    });
  }

  async forget() {
    const registration = await navigator.serviceWorker.getRegistration(this.root);
    if (registration?.scope === this.root) await registration.unregister();
    await this.drop(() => true);
  }

  async drop(which) {
    const names = (await caches.keys()).filter((name) => name.startsWith(this.name) && which(name));
    await Promise.all(names.map((name) => caches.delete(name)));
  }

  // What an interrupted try has left, unless one is under way.
  async tidy() {
    if (await this.used()) return; // without the lock, on which a `keep` in another tab would fail
    await navigator.locks.request(this.name, {ifAvailable: true}, async (lock) => {
      if (lock && !await this.used()) await this.drop(() => true);
    });
  }
}

const megabytes = (bytes) => `${Math.ceil(bytes / 1e6)} MB`;

function why(error) {
  if (error.name === "QuotaExceededError") return "There is not enough room on this device. Nothing of the book was kept.";
  return `It did not arrive whole, so nothing of it is used: ${error.message}. Try again later.`;
}

// The box in which a reader asks for the book, and removes it.
export async function offer(kept, box) {
  const make = (tag, properties) => box.appendChild(Object.assign(document.createElement(tag), properties));
  box.replaceChildren();
  const words = make("p", {}), bar = make("progress", {max: 1, hidden: true}), button = make("button", {type: "button", hidden: true});
  words.setAttribute("role", "status");
  bar.setAttribute("aria-label", "Fetching the book");
  if (words.textContent = kept.hindrance ?? "") return;

  async function show() {
    const used = await kept.used();
    let nothing = false; // to press
    if (used) {
      const python = await kept.hasPython(used) ? "Python, too: it can be read and run without a network."
        : "It can be read without a network. Python will be kept when you next run a cell.";
      words.textContent = `This book is on your device (${megabytes(used.bytes)}). ${python}`;
      button.textContent = "Remove it from my device";
      button.onclick = () => act(() => kept.forget());
    } else {
      const offered = await kept.offered().catch(() => undefined);
      nothing = !offered;
      words.textContent = offered ? "" : "There is no network just now.";
      button.textContent = `Keep this book on my device (${megabytes(offered?.bytes ?? 0)})`;
      button.onclick = () => act(() => kept.keep(offered, (part) => { bar.value = part; }));
    }
    button.hidden = nothing; // only now: it has a name
  }

  async function act(what) {
    let failed;
    [button.disabled, bar.hidden, bar.value] = [true, false, 0];
    words.textContent = "Please leave this page open until it is done.";
    await what().catch((error) => { failed = why(error); });
    [button.disabled, bar.hidden] = [false, true];
    await show();
    if (failed) words.textContent = failed;
  }

  await kept.tidy();
  await show();
}

// Say at the top of the page that there is a new version. It comes only if the reader asks for it.
export async function announce(kept) {
  const used = !kept.hindrance && await kept.used();
  const offered = used && navigator.onLine && await kept.offered().catch(() => undefined);
  if (!offered || offered.version === used.version) return;
  const news = Object.assign(document.createElement("div"), {className: "keep-news"});
  const words = document.createElement("p"), button = Object.assign(document.createElement("button"), {type: "button"});
  words.setAttribute("role", "status");
  news.append(words, button);
  (document.querySelector(".bd-article") ?? document.body).prepend(news);
  [words.textContent, button.textContent] = ["A new version of the book is there.", "Load it"];
  button.onclick = async () => {
    button.disabled = true;
    try {
      const tell = (part) => { words.textContent = `The new version: ${Math.floor(100 * part)} %`; };
      if (await kept.keep(offered, tell)) return location.reload();
      words.textContent = "The new version has arrived. Close the other tabs that show the book, then it can be used.";
      button.textContent = "Use it";
    } catch (error) {
      words.textContent = why(error);
    }
    button.disabled = false;
  };
}
