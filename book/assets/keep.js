// The book on the reader's device: the box that offers it, where a page has one, and on every page of a kept book the
// word that a new version is there. What does it is keep/keeping.mjs; no other page loads that.
(() => {
  const root = new URL("../", document.currentScript.src).href;
  document.addEventListener("DOMContentLoaded", async () => {
    const box = document.querySelector("[data-keep]");
    if (!box && !navigator.serviceWorker?.controller) return;
    try {
      const {Kept, offer, announce} = await import(`${root}_static/keep/keeping.mjs`);
      const kept = new Kept(root);
      if (box) await offer(kept, box);
      await announce(kept);
    } catch (error) {
      if (box) box.textContent = location.protocol === "file:"
        ? "This page was opened from a file: the book is on your device already, and to run cells it must come from a web server."
        : `What keeps the book on your device could not be loaded (${error.message}).`;
    }
  });
})();
