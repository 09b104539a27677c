// The log-in form.
const form = document.getElementById("login");
const wrong = document.getElementById("wrong");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  wrong.textContent = "";
  try {
    const answer = await fetch("/api/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
    });
    if (answer.ok || answer.status === 404) {
      // The view that was asked for stands behind the #, which the server never sees.
      location.replace(`/${location.hash}`);
      return;
    }
    wrong.textContent = await reason(answer);
  } catch {
    wrong.textContent = "The server does not answer.";
  } finally {
    button.disabled = false;
  }
  form.elements.password.select();
});

async function reason(answer) {
  if (answer.status === 429) {
    return `Too many attempts. Try again in ${answer.headers.get("Retry-After")} seconds.`;
  }
  if (answer.status === 401) return "Name or password is wrong.";
  return "This did not work.";
}
