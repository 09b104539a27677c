// Asks the server, as the one who has logged in.

let who = { user: null, csrf: null };

export async function begin() {
  who = await get("/api/session");
  return who;
}

export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  return (await checked(answer)).json();
}

export async function post(path, body) {
  const headers = who.csrf ? { "X-CSRF-Token": who.csrf } : {};
  return checked(await fetch(path, { method: "POST", headers, body }));
}

async function checked(answer) {
  if (answer.ok) return answer;
  if (answer.status === 401) leave();
  let detail = `the server says ${answer.status}`;
  try {
    const said = await answer.json();
    if (typeof said.detail === "string") detail = said.detail;
  } catch {
    // What is not JSON says nothing to people.
  }
  const error = new Error(detail);
  error.status = answer.status;
  throw error;
}

// To the log-in, and from there back to the view that is open.
export function leave() {
  location.replace(`/login${location.hash}`);
}
