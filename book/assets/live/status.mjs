// One line at the bottom of the window says what Python does; it comes with the first run.

export class Status {
  constructor(own) {
    this.ways = new URL("../../book/ways.html", own).href;
    this.box = document.createElement("div");
    this.box.className = "live-status";
    this.box.setAttribute("role", "region");
    this.box.setAttribute("aria-label", "Python in this page");
    this.box.innerHTML = `<p role="status"></p><p class="live-wait" aria-hidden="true"></p>
      <progress max="1" aria-label="Loading Python" hidden></progress>
      <button type="button" class="live-stop" hidden>Stop</button>
      <button type="button" class="live-restart">Restart Python</button>`;
    [this.words, this.wait] = this.box.querySelectorAll("p");
    this.bar = this.box.querySelector("progress");
    [this.stopButton, this.restartButton] = this.box.querySelectorAll("button");
  }

  show({stop, restart}) {
    if (this.box.isConnected) return;
    this.stopButton.onclick = () => { stop(); this.restartButton.focus(); };
    this.restartButton.onclick = restart;
    document.body.append(this.box);
  }

  say(text) { this.words.textContent = text; }

  running(yes) { this.stopButton.hidden = !yes; }

  // What is loaded, how much of it is there, and how long it still takes, judged by how long it took so far.
  progress(what, part) {
    if (this.what !== what) [this.what, this.since] = [what, performance.now()];
    const left = (performance.now() - this.since) / 1000 * (1 - part) / part;
    this.bar.hidden = part >= 1;
    this.bar.value = part;
    const time = part < 0.05 ? "" : part < 0.99 ? `, ${Math.max(1, Math.round(left))} s left` : ", it starts";
    this.wait.textContent = part >= 1 ? "" : `${what}: ${Math.round(100 * part)} %${time}`;
  }

  failed(message) {
    this.bar.hidden = true;
    this.wait.textContent = "";
    this.say("");
    this.words.innerHTML = "Python could not be loaded. The page stays as it is, with all outputs of the book; " +
      `press Run to try again, or use one of the <a href="${this.ways}">other ways to run this book</a>. ` +
      "What went wrong: <span></span>";
    this.words.querySelector("span").textContent = message;
  }
}
