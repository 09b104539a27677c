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

function nameTheme() {
  show(themeButton, document.documentElement.dataset.theme === "dark" ? "Light" : "Dark");
}

themeButton.addEventListener("click", () => document.dispatchEvent(new Event("choose-theme")));
document.addEventListener("theme", nameTheme);
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
