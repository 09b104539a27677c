// Try a picture: drop one, see its boxes and its heat map.

import { post } from "./api.js";
import { chip, el, labelText, tone } from "./words.js";

const drop = document.getElementById("drop");
const input = document.getElementById("picture");
const state = document.getElementById("try-state");
const result = document.getElementById("result");
const picture = document.getElementById("result-picture");
const buttons = { annotated: document.getElementById("show-boxes"), heatmap: document.getElementById("show-heatmap") };
let seen = null;

export function startTrying() {
  input.addEventListener("change", () => input.files[0] && look(input.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) look(event.dataTransfer.files[0]);
  });
  // What is dropped beside it must not replace the page.
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => event.preventDefault());
  for (const [name, button] of Object.entries(buttons)) {
    button.addEventListener("click", () => showAs(name));
  }
  return {};
}

async function look(file) {
  result.hidden = true;
  state.textContent = "Looking at it …";
  const form = new FormData();
  form.append("picture", file);
  try {
    const answer = await post("/api/detect?include=annotated&include=heatmap", form);
    seen = await answer.json();
  } catch (error) {
    state.textContent = `This did not work: ${error.message}.`;
    return;
  } finally {
    input.value = "";
  }
  const count = seen.faces.length;
  state.textContent = count === 0 ? "No face was found." : `${count} ${count === 1 ? "face" : "faces"} found.`;
  const words = seen.faces.map(faceText);
  document.getElementById("faces").replaceChildren(
    ...seen.faces.map((face, index) => el("li", {}, chip(words[index], tone(face.label)))),
  );
  picture.alt = `The picture with boxes: ${words.join(", ") || "no face"}`;
  buttons.heatmap.disabled = !seen.pictures.heatmap;
  showAs("annotated");
  result.hidden = false;
}

function faceText(face) {
  return `${labelText(face.label)} ${Math.round(face.confidence * 100)} %`;
}

function showAs(name) {
  picture.src = `data:image/jpeg;base64,${seen.pictures[name]}`;
  for (const [other, button] of Object.entries(buttons)) {
    button.setAttribute("aria-pressed", String(other === name));
  }
  document.getElementById("result-words").textContent =
    name === "heatmap" ? "Warm colours: what in the face spoke for the label." : "";
}
