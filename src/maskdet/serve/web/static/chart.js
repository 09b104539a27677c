// The statistics view: a chart to look into, from minutes to months.

import { cameras } from "./alerts.js";
import { get } from "./api.js";
import { chip, el, labelText, moments, tone } from "./words.js";
import uPlot from "./vendor/uplot.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SHORTEST = 10 * MINUTE;
const LONGEST = 400 * DAY;
// Up to how long a time is shown by minutes, by hours; what is longer by days.
const STEPS = [[6 * HOUR, "minute", MINUTE], [16 * DAY, "hour", HOUR], [Infinity, "day", DAY]];

const place = document.getElementById("chart");
const camera = document.getElementById("chart-camera");
const what = document.getElementById("chart-what");
const ranges = [...document.querySelectorAll("#ranges button")];

let span = [0, 0];
let before = [];
let found = null;
let plot = null;
let asked = 0;

export function startChart() {
  for (const button of ranges) {
    button.addEventListener("click", () => go(upToNow(Number(button.dataset.hours) * HOUR)));
  }
  const control = (id, action) => document.getElementById(id).addEventListener("click", action);
  control("earlier", () => go(span.map((time) => time - (span[1] - span[0]) / 2)));
  control("later", () => go(span.map((time) => time + (span[1] - span[0]) / 2)));
  control("zoom-in", () => go(scaled(0.5)));
  control("zoom-out", () => go(scaled(2)));
  camera.addEventListener("change", load);
  what.addEventListener("change", draw);
  document.addEventListener("theme", () => found && draw());
  new ResizeObserver(() => plot?.setSize(size())).observe(place);
  return {
    async open() {
      await cameras(camera);
      if (span[1] === 0) await go(upToNow(DAY));
      else await load();
    },
  };
}

function upToNow(length) {
  const now = Math.ceil(Date.now() / MINUTE) * MINUTE;
  return [now - length, now];
}

function scaled(factor) {
  const middle = (span[0] + span[1]) / 2;
  const half = (Math.min(LONGEST, Math.max(SHORTEST, (span[1] - span[0]) * factor))) / 2;
  return [middle - half, middle + half];
}

async function go(next, remembers = true) {
  if (remembers && span[1] > 0) before = [...before.slice(-30), span];
  span = next.map((time) => Math.round(time / MINUTE) * MINUTE);
  await load();
}

async function load() {
  const [from, to] = span;
  const [, by] = STEPS.find(([longest]) => to - from <= longest);
  const query = new URLSearchParams({ from: iso(from), to: iso(to), by });
  if (camera.value) query.set("camera", camera.value);
  const number = ++asked;
  const answer = await get(`/api/statistics?${query}`);
  // Another one has been asked for since.
  if (number !== asked) return;
  found = answer;
  document.getElementById("csv").href = `/api/statistics.csv?${query}`;
  document.getElementById("span").textContent = `${moments(from, to)}, by the ${by}`;
  for (const button of ranges) {
    const isIt = Number(button.dataset.hours) * HOUR === to - from;
    button.setAttribute("aria-pressed", String(isIt));
  }
  draw();
}

const iso = (time) => new Date(time).toISOString();

// Columns for uPlot: times in seconds, then one column a label. Where nothing is known, nothing is
// drawn: a camera that was off is not a shop that was empty.
function columns() {
  const [from, to] = span;
  const [, , step] = STEPS.find(([longest]) => to - from <= longest);
  const times = [];
  const values = found.labels.map(() => []);
  let last = null;
  for (const row of found.rows) {
    const time = Date.parse(row.time);
    if (last !== null && time - last > 1.5 * step) {
      times.push((last + step) / 1000);
      for (const column of values) column.push(null);
    }
    last = time;
    times.push(time / 1000);
    const all = found.labels.reduce((sum, label) => sum + (row.people[label] ?? 0), 0);
    found.labels.forEach((label, index) => {
      const count = row.people[label] ?? 0;
      if (what.value === "count") values[index].push(count);
      else values[index].push(all ? (100 * count) / all : null);
    });
  }
  return [times, ...values];
}

function size() {
  return { width: place.clientWidth, height: place.clientHeight };
}

function draw() {
  if (!found) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const unit = what.value === "share" ? " %" : "";
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };
  const options = {
    ...size(),
    cursor: {
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => before.length && go(before.pop(), false) },
    },
    scales: {
      x: { range: () => span.map((time) => time / 1000) },
      y: { range: (_, low, high) => [0, what.value === "share" ? 100 : Math.max(4, high * 1.1)] },
    },
    axes: [axis, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) }],
    series: [
      {},
      ...found.labels.map((label) => ({
        label: labelText(label),
        stroke: colour(tone(label)),
        fill: `${colour(tone(label))}24`,
        width: 2,
        points: { show: found.rows.length < 60 },
      })),
    ],
    hooks: {
      setSelect: [
        (chart) => {
          if (chart.select.width < 5) return;
          const ends = [chart.select.left, chart.select.left + chart.select.width];
          const [from, to] = ends.map((end) => chart.posToVal(end, "x") * 1000);
          chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          go(to - from < SHORTEST ? [(from + to - SHORTEST) / 2, (from + to + SHORTEST) / 2] : [from, to]);
        },
      ],
      setCursor: [(chart) => legend(chart.cursor.idx)],
    },
  };
  plot?.destroy();
  plot = new uPlot(options, columns(), place);
  place.dataset.points = String(found.rows.length);
  place.setAttribute("role", "img");
  legend(null);
  table();
}

// The whole time's totals, or what is under the pointer.
function legend(index) {
  const values = found.labels.map((label, column) => {
    if (index === null || index === undefined) return null;
    return plot.data[column + 1][index];
  });
  const chips = found.labels.map((label, column) => {
    const value = values[column];
    const text = value === null || value === undefined ? "" : ` ${Math.round(value)}${what.value === "share" ? " %" : ""}`;
    return chip(labelText(label) + text, tone(label));
  });
  document.getElementById("legend").replaceChildren(...chips);
}

function table() {
  const sums = found.labels.map((label) => found.rows.reduce((sum, row) => sum + (row.people[label] ?? 0), 0));
  const all = sums.reduce((sum, number) => sum + number, 0);
  const words = found.labels.map((label, index) => `${sums[index]} ${labelText(label)}`).join(", ");
  const text = all ? `In this time: ${words}.` : "Nobody was seen in this time.";
  document.getElementById("totals").textContent = text;
  place.setAttribute("aria-label", `${what.value === "share" ? "Share" : "People"} over time. ${text}`);
  const head = el("tr", {}, el("th", { scope: "col" }, "From"), ...found.labels.map((label) => el("th", { scope: "col" }, labelText(label))));
  const rows = found.rows.map((row) =>
    el("tr", {}, el("th", { scope: "row" }, new Date(row.time).toLocaleString()), ...found.labels.map((label) => el("td", {}, String(row.people[label] ?? 0)))),
  );
  document.getElementById("numbers").replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows));
}
