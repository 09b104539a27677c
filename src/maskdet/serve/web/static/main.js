// Starts the page: which view is open, light or dark, who one is.

import { begin, post } from "./api.js";
import { startAlerts } from "./alerts.js";
import { startChart } from "./chart.js";
import { startLive } from "./live.js";
import { startSettings } from "./settings.js";
import { startTrying } from "./trying.js";
import { show } from "./words.js";

const VIEWS = ["live", "statistics", "alerts", "try", "settings"];
const links = [...document.querySelectorAll(".bar nav a")];
const themeButton = document.getElementById("theme");
const dark = matchMedia("(prefers-color-scheme: dark)");

// Each view is told when it opens and closes.
const views = {};

function openView() {
  const [wanted, detail] = location.hash.slice(1).split("/");
  const name = VIEWS.includes(wanted) ? wanted : "live";
  for (const other of VIEWS) {
    const section = document.getElementById(`view-${other}`);
    if (other !== name && !section.hidden) views[other]?.close?.();
    section.hidden = other !== name;
  }
  for (const link of links) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = links.find((link) => link.hash === `#${name}`).textContent;
  document.title = `${title} – maskdet`;
  views[name]?.open?.(detail);
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : dark.matches;
}

function nameTheme() {
  show(themeButton, isDark() ? "Light" : "Dark");
  document.dispatchEvent(new Event("theme"));
}

function stored(key) {
  // Browsers that keep nothing throw.
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

const theme = stored("theme");
if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
themeButton.addEventListener("click", () => {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("theme", next);
  } catch {
    // It holds till the page is left.
  }
  nameTheme();
});
dark.addEventListener("change", nameTheme);
nameTheme();

const who = await begin();
if (who.user !== null) {
  const logout = document.getElementById("logout");
  logout.hidden = false;
  logout.title = `Logged in as ${who.user}`;
  logout.addEventListener("click", async () => {
    views.live.stop();
    await post("/api/logout");
    location.replace("/login");
  });
}
views.alerts = startAlerts();
views.live = startLive(views.alerts);
views.statistics = startChart();
views.try = startTrying();
views.settings = startSettings();
addEventListener("hashchange", () => {
  openView();
  document.getElementById("main").focus({ preventScroll: true });
});
openView();
