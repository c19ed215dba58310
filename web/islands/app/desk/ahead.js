// Tells what would come next if the form were sent as it stands: asked a moment after the last change, the newest answer wins.
import { answersOf, send } from "./answers.js";

const QUIET = 600;

function look(form) {
  const shown = form.querySelector("[data-ahead-shown]");
  const box = shown?.closest(".ahead");
  if (!box) return;
  let asked = null;
  let waiting = null;
  let last = "";

  async function ask() {
    const now = JSON.stringify(answersOf(form));
    if (now === last) return;
    last = now;
    asked?.abort();
    asked = new AbortController();
    try {
      const response = await send(form, form.dataset.ahead, "POST", JSON.parse(now), {
        headers: { "HX-Request": "true", Accept: "text/html" },
        signal: asked.signal,
      });
      if (!response.ok) throw new Error(response.status);
      shown.innerHTML = await response.text();
      box.hidden = false;
    } catch (error) {
      if (error.name !== "AbortError") box.hidden = true; // nothing is better than something old
    }
  }
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, QUIET);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  later();
}

export function lookAhead(root) {
  for (const form of root.querySelectorAll("form[data-ahead]")) look(form);
}
