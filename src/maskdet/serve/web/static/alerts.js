// What has happened: the list, and each one with its snapshot and clip.

import { get } from "./api.js";
import { duration, el, moment } from "./words.js";

const KINDS = { "": "Everything", alert: "People", state: "Cameras" };
const LATEST = 5;
const list = document.getElementById("alerts");
const latest = document.getElementById("latest");
const none = document.getElementById("no-alerts");
const more = document.getElementById("more-alerts");
const camera = document.getElementById("alerts-camera");
const kind = document.getElementById("alerts-kind");
const dialog = document.getElementById("event");
const body = document.getElementById("event-body");
let next = null;

export function startAlerts() {
  kind.append(...Object.entries(KINDS).map(([value, text]) => el("option", { value }, text)));
  kind.value = "alert";
  camera.addEventListener("change", reload);
  kind.addEventListener("change", reload);
  more.addEventListener("click", older);
  document.getElementById("event-close").addEventListener("click", () => dialog.close());
  // A clip that nobody sees must not play on.
  dialog.addEventListener("close", () => body.replaceChildren());
  return {
    refresh: loadLatest,
    async open(number) {
      if (number && /^[\w-]+$/.test(number)) await openEvent(await get(`/api/events/${number}`));
      await cameras(camera);
      await reload();
    },
    arrived(event) {
      if (event.kind === "alert") {
        latest.querySelector(".empty")?.remove();
        latest.prepend(row(event));
        while (latest.children.length > LATEST) latest.lastChild.remove();
      }
      const isShown = !kind.value || kind.value === event.kind;
      if (isShown && (!camera.value || camera.value === event.camera)) {
        none.hidden = true;
        list.prepend(row(event));
      }
    },
  };
}

// Fills a choice of cameras, once.
export async function cameras(select) {
  if (select.options.length > 1) return;
  const { cameras: all } = await get("/api/cameras");
  select.append(...all.map(({ name }) => el("option", { value: name }, name)));
}

async function loadLatest() {
  const { events } = await get(`/api/events?kind=alert&limit=${LATEST}`);
  latest.replaceChildren(...events.map(row));
  if (!events.length) latest.append(el("li", { className: "empty" }, "No alert so far."));
}

async function reload() {
  next = null;
  list.replaceChildren();
  await older();
}

async function older() {
  const query = new URLSearchParams({ limit: "30" });
  if (camera.value) query.set("camera", camera.value);
  if (kind.value) query.set("kind", kind.value);
  if (next !== null) query.set("before", next);
  const found = await get(`/api/events?${query}`);
  list.append(...found.events.map(row));
  next = found.next;
  more.hidden = next === null;
  none.hidden = list.children.length > 0;
}

function row(event) {
  const picture = event.snapshot
    ? el("img", { src: event.snapshot, alt: "", loading: "lazy" })
    : el("span", { className: "no-picture" });
  const what = el(
    "span",
    { className: "what" },
    el("b", {}, event.title),
    el("span", {}, `${event.camera} · ${moment(event.time)}`),
  );
  const button = el("button", { type: "button" }, picture, what);
  button.addEventListener("click", () => openEvent(event));
  return el("li", {}, button);
}

async function openEvent(event) {
  document.getElementById("event-title").textContent = event.title;
  const facts = el("dl");
  const fact = (name, ...value) => facts.append(el("dt", {}, name), el("dd", {}, ...value));
  fact("When", new Date(event.time).toLocaleString([], { dateStyle: "full", timeStyle: "long" }));
  fact("Where", event.camera);
  if (event.people) fact("People", String(event.people));
  if (event.seconds) fact("For how long", duration(event.seconds));
  if (event.message) fact("What", event.message);
  const parts = [];
  if (event.clip) {
    parts.push(el("video", { src: event.clip, controls: true, muted: true, autoplay: true, loop: true, playsInline: true, poster: event.snapshot ?? "" }));
  } else if (event.snapshot) {
    parts.push(el("img", { src: event.snapshot, alt: `${event.title}, ${event.camera}` }));
  }
  const links = el("p", { className: "row" });
  if (event.snapshot) links.append(el("a", { href: event.snapshot, download: "" }, "Save the snapshot"));
  if (event.clip) links.append(el("a", { href: event.clip, download: "" }, "Save the clip"));
  body.replaceChildren(...parts, facts, links);
  if (!dialog.open) dialog.showModal();
}
