// The live view: numbers, cameras with their pictures, the latest alerts.

import { leave } from "./api.js";
import { Pictures } from "./pictures.js";
import { counted, el, labelText, show, tone } from "./words.js";

const grid = document.getElementById("cameras");
const large = document.getElementById("large");
const largePicture = document.getElementById("large-picture");
const lost = document.getElementById("lost");
// Pictures are asked for in steps, so that a window that is drawn larger does not ask anew each time.
const WIDTH_STEP = 160;
const cards = new Map();
let isOpen = false;
let enlarged = null;
let source = null;

export function startLive(alerts) {
  const pictures = new Pictures(showPicture);
  const seen = new Set();
  const watching = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) seen.add(entry.target.dataset.camera);
      else seen.delete(entry.target.dataset.camera);
    }
    choose();
  });

  function choose() {
    if (document.hidden || !isOpen) {
      pictures.want([], 0);
      return;
    }
    if (enlarged) {
      pictures.want([enlarged], pixels(largePicture));
      return;
    }
    const names = [...cards.keys()].filter((name) => seen.has(name));
    pictures.want(names, names.length ? pixels(cards.get(names[0]).view) : 0);
  }

  function listen() {
    source?.close();
    source = null;
    if (document.hidden) return;
    source = new EventSource("/api/live");
    source.addEventListener("cameras", (event) => {
      lost.hidden = true;
      showCameras(JSON.parse(event.data), watching, enlarge);
      choose();
    });
    // Also after a while in the background, or without a connection: what came then is asked for.
    source.addEventListener("open", () => alerts.refresh());
    source.addEventListener("alert", (event) => alerts.arrived(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      lost.hidden = false;
      show(lost, "No connection to the server. It is tried again.");
      // A refusal is final to the browser: it is the log-in that has ended, or the server starts.
      if (source?.readyState === EventSource.CLOSED) setTimeout(retry, 3000);
    });
  }

  async function retry() {
    const answer = await fetch("/api/session").catch(() => null);
    if (answer?.status === 401) leave();
    else listen();
  }

  function enlarge(name) {
    enlarged = name;
    show(document.getElementById("large-title"), name);
    largePicture.alt = cards.get(name).image.alt;
    largePicture.src = cards.get(name).image.src;
    large.showModal();
    choose();
  }

  large.addEventListener("close", () => {
    enlarged = null;
    choose();
  });
  document.getElementById("large-close").addEventListener("click", () => large.close());
  document.addEventListener("visibilitychange", () => {
    listen();
    choose();
  });
  addEventListener("resize", choose);
  listen();
  return {
    open() {
      isOpen = true;
      choose();
    },
    close() {
      isOpen = false;
      choose();
    },
    // Before a log-out: what is open would ask anew, and be refused.
    stop() {
      isOpen = false;
      choose();
      source?.close();
    },
  };
}

function pixels(element) {
  const width = element.clientWidth * Math.min(devicePixelRatio, 2);
  return Math.max(WIDTH_STEP, Math.ceil(width / WIDTH_STEP) * WIDTH_STEP);
}

function showPicture(info, url) {
  const card = cards.get(info.camera);
  if (!card) return;
  card.image.src = url;
  card.image.hidden = false;
  // Cameras differ in shape; beyond these bounds there are bars beside the picture.
  card.view.style.aspectRatio = String(Math.min(1.9, Math.max(1, info.width / info.height)));
  // For whoever cannot see it, and for tests: where the faces are, in pixels of the frame.
  card.view.dataset.frame = info.frame;
  card.view.dataset.boxes = JSON.stringify(info.faces.map((face) => face.box));
  if (info.camera === enlarged) {
    largePicture.src = url;
    show(document.getElementById("large-words"), card.words);
  }
}

function showCameras(state, watching, enlarge) {
  const names = new Set(state.cameras.map((camera) => camera.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    watching.unobserve(card.view);
    card.root.remove();
    cards.delete(name);
  }
  for (const camera of state.cameras) {
    if (!cards.has(camera.name)) {
      const card = newCard(camera.name, enlarge);
      cards.set(camera.name, card);
      grid.append(card.root);
      watching.observe(card.view);
    }
    fill(cards.get(camera.name), camera);
  }
  document.getElementById("no-cameras").hidden = names.size > 0;
  numbers(document.getElementById("now"), state.now, state.labels);
  numbers(document.getElementById("today"), state.today, state.labels);
  const all = Object.values(state.today).reduce((sum, number) => sum + number, 0);
  const share = all ? `${Math.round(((state.today.with_mask ?? 0) / all) * 100)} %` : "–";
  show(document.getElementById("share-today"), share);
  const up = state.cameras.filter((camera) => camera.is_up).length;
  show(document.getElementById("cameras-up"), `${up} / ${state.cameras.length}`);
}

function newCard(name, enlarge) {
  const image = el("img", { alt: "", hidden: true });
  const veil = el("span", { className: "veil" }, "Waiting for the first picture");
  const view = el("button", { type: "button", className: "view" }, image, veil);
  view.dataset.camera = name;
  view.addEventListener("click", () => enlarge(name));
  const title = el("h2", {}, name);
  const state = el("span", { className: "chip" });
  const people = el("p");
  const foot = el("div", { className: "foot" }, title, state, people);
  const root = el("article", { className: "card camera" }, view, foot);
  return { root, view, image, veil, state, people, words: "" };
}

function fill(card, camera) {
  const now = counted(camera.now) || "nobody";
  const rate = camera.frames_per_second ? `, ${camera.frames_per_second.toFixed(1)} pictures/s` : "";
  card.words = camera.is_up ? `${now}${rate}` : (camera.message ?? "");
  show(card.people, camera.is_up ? card.words : `Today: ${counted(camera.today) || "nobody"}`);
  show(card.state, camera.state_text);
  card.state.className = `chip ${camera.is_well ? "mask" : camera.is_up ? "wrong" : "bare"}`;
  card.view.setAttribute("aria-label", `${camera.name}: ${camera.state_text}, ${card.words}. Enlarge`);
  card.veil.hidden = camera.is_up && !card.image.hidden;
  if (!camera.is_up) show(card.veil, camera.message || camera.state_text);
  card.image.alt = `Live picture of ${camera.name}`;
}

function numbers(place, counts, labels) {
  const wanted = labels.filter((label) => label !== "uncertain" || counts[label] > 0);
  if (place.children.length !== wanted.length) place.replaceChildren();
  wanted.forEach((label, index) => {
    if (!place.children[index]) {
      place.append(el("p", {}, el("b"), " ", el("span")));
    }
    const [number, word] = place.children[index].children;
    place.children[index].className = `number toned ${tone(label)}`;
    show(number, String(counts[label] ?? 0));
    show(word, labelText(label));
  });
}

