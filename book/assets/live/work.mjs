// What a reader has done in this book (changed cells, predictions, solved exercises) as one file, and back again.

import {save} from "./notebook.mjs";

const FORMAT = "work of a reader of How a Neural Network Learns", VERSION = 1;
const LARGEST = 20e6; // bytes; no browser keeps as much
const root = new URL(document.documentElement.dataset.content_root, location.href).pathname;

const isOurs = (key) => /^solved \S+$/.test(key) || ["live", "predict"].some((kind) => key.startsWith(`${kind} ${root}`));

// Everything that is kept. The pages are named from the book's root, since it may lie elsewhere on another server.
function gather() {
  const work = {format: FORMAT, version: VERSION, edits: {}, predictions: {}, solved: {}};
  for (const key of Object.keys(localStorage).filter(isOurs).sort()) {
    const [kind, place, name] = key.split(" "), value = localStorage.getItem(key);
    if (kind === "solved") {
      work.solved[place] = value;
      continue;
    }
    const pages = work[kind === "live" ? "edits" : "predictions"];
    const page = pages[place.slice(root.length)] ??= {};
    page[name] = kind === "live" ? JSON.parse(value) : value;
  }
  return work;
}

// The text of a file as work, or an error that says what is wrong with it.
function understood(text) {
  let work;
  try { work = JSON.parse(text); } catch { throw new Error("it is damaged, or no file of this kind"); }
  if (work?.format !== FORMAT) throw new Error("it does not come from this book");
  if (work.version !== VERSION) throw new Error("it comes from another version of this book");
  const isText = (value) => typeof value === "string";
  const isEdit = (value) => isText(value?.code) && isText(value.book) && Number.isFinite(value.when ?? 0);
  for (const [page, name, value] of cells(work.edits)) require(isPage(page) && isCell(name) && isEdit(value), `${page} ${name}`);
  for (const [page, name, value] of cells(work.predictions)) require(isPage(page) && isCell(name) && isText(value), `${page} ${name}`);
  for (const [name, value] of Object.entries(table(work.solved))) require(/^[\w-]+$/.test(name) && isText(value), name);
  return work;
}

const isPage = (page) => /^[\w-]+(\/[\w-]+)*(\.html)?$/.test(page);
const isCell = (name) => /^cell-[\w-]+$/.test(name);

function require(good, where) {
  if (!good) throw new Error(`what it says of ${where.slice(0, 80)} is damaged`);
}

function table(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("a part of it is missing");
  return value;
}

function cells(pages) {
  return Object.entries(table(pages)).flatMap(([page, inside]) =>
    Object.entries(table(inside)).map(([name, value]) => [page, name, value]));
}

// What has to be kept to have both, what is here and what is in the file: of two edits the newer one, of two predictions
// the one made here. The second answer: how many edits in the file are older than those here.
function merged(work) {
  const changes = new Map();
  let older = 0;
  for (const [page, name, edit] of cells(work.edits)) {
    const key = `live ${root}${page} ${name}`, here = JSON.parse(localStorage.getItem(key));
    if (here?.code === edit.code) continue;
    if (here && (here.when ?? 0) >= (edit.when ?? 0)) older += 1;
    else changes.set(key, JSON.stringify(edit));
  }
  for (const [page, name, text] of cells(work.predictions)) {
    const key = `predict ${root}${page} ${name}`;
    if (localStorage.getItem(key) === null) changes.set(key, text);
  }
  for (const [name, date] of Object.entries(work.solved)) {
    const key = `solved ${name}`;
    if (localStorage.getItem(key) === null) changes.set(key, date);
  }
  return {changes, older};
}

// All of it, or nothing.
function keep(changes) {
  const before = [...changes.keys()].map((key) => [key, localStorage.getItem(key)]);
  try {
    for (const [key, value] of changes) localStorage.setItem(key, value);
  } catch {
    for (const [key, value] of before) value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value);
    throw new Error("this browser has no room for what is in it");
  }
}

function many(count, word) { return `${count} ${word}${count === 1 ? "" : "s"}`; }

function inWords(keys) {
  const count = (kind) => keys.filter((key) => key.startsWith(`${kind} `)).length;
  return `${many(count("live"), "changed cell")}, ${many(count("predict"), "prediction")}, ${many(count("solved"), "solved exercise")}`;
}

async function load(file) {
  if (file.size > LARGEST) throw new Error("it is too large");
  const {changes, older} = merged(understood(await file.text()));
  keep(changes);
  dispatchEvent(new StorageEvent("storage")); // marks it in this page; the other tabs hear of it anyway
  const left = older ? ` Left as they are here, where you changed them later: ${many(older, "cell")}.` : "";
  return (changes.size ? `Loaded: ${inWords([...changes.keys()])}.` : "There was nothing new in it.") + left;
}

export function show(place) {
  place.innerHTML = `<p></p><p class="work-buttons"><button type="button">Save as a file</button>
    <button type="button">Load a file</button><input type="file" accept=".json,application/json" hidden></p><p role="status"></p>`;
  const [what, , said] = place.querySelectorAll("p"), [saving, loading] = place.querySelectorAll("button");
  const input = place.querySelector("input");

  async function attempt(act, about) {
    try {
      said.textContent = await act();
      what.textContent = `In this browser: ${inWords(Object.keys(localStorage).filter(isOurs))}.`;
    } catch (error) {
      said.textContent = `Nothing was changed. ${about}: ${error.message}.`;
    }
  }

  saving.onclick = () => attempt(() => {
    const day = new Date().toISOString().slice(0, 10);
    save(JSON.stringify(gather(), null, 1) + "\n", `my-work-${day}.json`, "application/json");
    return "";
  }, "No file could be made");
  loading.onclick = () => input.click();
  input.onchange = async () => {
    const [file] = input.files;
    if (file) await attempt(() => load(file), file.name);
    input.value = ""; // the same file can be chosen again
  };
  attempt(() => "", "This browser keeps nothing for this site");
}
