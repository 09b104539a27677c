// Settings, read-only.

import { get } from "./api.js";
import { el } from "./words.js";

const place = document.getElementById("settings");

export function startSettings() {
  return {
    async open() {
      const { sections } = await get("/api/settings");
      place.replaceChildren(...sections.map(card));
    },
  };
}

function card(section) {
  const table = el("table", {}, el("caption", { className: "for-readers" }, section.title));
  const rows = section.entries.map((entry) =>
    el("tr", {}, el("th", { scope: "row" }, entry.name), el("td", {}, entry.value)),
  );
  table.append(el("tbody", {}, ...rows));
  return el("div", { className: "card" }, el("h2", {}, section.title), table);
}
