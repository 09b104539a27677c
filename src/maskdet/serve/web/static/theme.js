// Light or dark, as chosen before, else as the system has it. Runs before anything is drawn.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  let chosen = null;
  // Browsers that keep nothing throw.
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    chosen = null;
  }

  function apply() {
    const isDark = chosen === "dark" || (chosen !== "light" && dark.matches);
    root.dataset.theme = isDark ? "dark" : "light";
    document.dispatchEvent(new Event("theme"));
  }

  document.addEventListener("choose-theme", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", chosen);
    } catch {
      // It holds till the page is left.
    }
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
})();
