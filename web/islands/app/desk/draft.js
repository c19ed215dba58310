// Keeps what somebody fills in as a draft: two seconds after they stop typing, and when they leave. Saving never stands in
// the way of working; when it fails, the page says so and tries again with the next keystroke.
import { answersOf, send } from "./answers.js";

const QUIET = 2000;

function keep(form) {
  const said = form.querySelector("[data-draft-said]");
  const say = (text, failed = false) => {
    if (!said) return;
    said.textContent = text;
    said.classList.toggle("draft-failed", failed);
  };
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel(`draft ${form.dataset.draft}`) : null;
  let known = form.dataset.known ?? null;
  let last = JSON.stringify(answersOf(form));
  let waiting = null;
  let sending = false;

  async function save(leaving = false) {
    clearTimeout(waiting);
    waiting = null;
    const now = JSON.stringify(answersOf(form));
    if (now === last || form.dataset.sent) return;
    if (sending && !leaving) {
      later(); // never two at once: the older could arrive last
      return;
    }
    sending = true;
    try {
      const response = await send(form, form.dataset.draft, "PUT", { ...JSON.parse(now), known }, { keepalive: leaving });
      const told = await response.json();
      if (!response.ok) throw new Error(told.message);
      last = now;
      known = told.saved_at;
      say(told.overtaken ? `草稿已保存 ${told.shown}，另一窗口此前保存的内容已被替换` : `草稿已保存 ${told.shown}`);
      tabs?.postMessage(told.shown);
    } catch (error) {
      say(error instanceof TypeError || error instanceof SyntaxError ? "草稿未保存：网络不通或登录已失效" : `草稿未保存：${error.message}`, true);
    } finally {
      sending = false;
    }
  }
  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(save, QUIET);
  }

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save(true));
  window.addEventListener("pagehide", () => save(true));
  tabs?.addEventListener("message", (event) => say(`另一窗口已于 ${event.data} 保存该待办的草稿；继续填写将以本窗口为准`, true));
}

export function keepDrafts(root) {
  for (const form of root.querySelectorAll("form[data-draft]")) keep(form);
}
