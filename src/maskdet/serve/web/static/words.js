// How labels, states and times read, and a short way to make elements.

const LABELS = {
  with_mask: "Mask",
  without_mask: "No mask",
  mask_worn_incorrectly: "Worn incorrectly",
  uncertain: "Uncertain",
};

export function labelText(label) {
  if (LABELS[label]) return LABELS[label];
  const words = label.replace(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// The class, in page.css, that colours a label.
export function tone(label) {
  if (label === "with_mask") return "mask";
  if (label === "without_mask") return "bare";
  if (label === "uncertain") return "unsure";
  return /wrong|incorrect/.test(label) ? "wrong" : "other";
}

export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key in element && key !== "list") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function chip(text, kind = "") {
  return el("span", { className: `chip ${kind}` }, text);
}

// "2 Mask, 1 No mask"; labels with nothing are left out.
export function counted(counts) {
  const parts = Object.entries(counts).filter(([, number]) => number > 0);
  return parts.map(([label, number]) => `${number} ${labelText(label)}`).join(", ");
}

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DAY = { day: "numeric", month: "short" };

export function moment(time) {
  const date = new Date(time);
  const options = { ...CLOCK, second: "2-digit" };
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString([], isToday ? options : { ...options, ...DAY });
}

export function moments(from, to) {
  const options = to - from > 86_400_000 ? { ...DAY, year: "numeric" } : { ...DAY, ...CLOCK };
  const text = (time) => new Date(time).toLocaleString([], options);
  return `${text(from)} – ${text(to)}`;
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

// Replaces what an element holds only where it changed, so that focus and readers are left in peace.
export function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
