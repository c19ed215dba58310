// The inbox at the keyboard: moving, opening, claiming, selecting, the next task; and word of tasks that have come since.
//
// Moving puts the focus on the link of the row, so that a screen reader reads it and Enter opens it. Rows are looked for
// each time: htmx appends and replaces them.
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

export function inbox(root) {
  const dialog = document.getElementById("keys");
  const rows = () => [...root.querySelectorAll("[data-row]")];
  const row = () => document.activeElement?.closest("[data-row]");
  const boxes = () => [...root.querySelectorAll("[data-row] [name=id]")];
  const help = () => dialog.showModal();

  function move(step) {
    const all = rows();
    const place = all.indexOf(row());
    const next = place < 0 ? 0 : place + step;
    // Behind the last row the list goes on: the rows to come are fetched, and the same key moves into them.
    if (next >= all.length) root.querySelector(".more a")?.click();
    all[Math.min(Math.max(next, 0), all.length - 1)]?.querySelector(".main a").focus();
  }

  function claim() {
    const button = row()?.querySelector("[data-claim]");
    if (!button) return;
    move(1); // before the row is replaced, and the focus with it
    button.click();
  }

  function select(box) {
    if (!box) return;
    box.checked = !box.checked;
    selected();
  }

  function selectAll() {
    const all = boxes();
    const on = all.some((box) => !box.checked);
    for (const box of all) box.checked = on;
    selected();
  }

  function selected() {
    const bar = root.querySelector("[data-bulk]");
    if (!bar) return;
    const all = boxes();
    const count = all.filter((box) => box.checked).length;
    const head = root.querySelector("[data-all]");
    head.checked = count > 0 && count === all.length;
    head.indeterminate = count > 0 && count < all.length;
    bar.classList.toggle("bulk-on", count > 0);
    bar.querySelector("[data-said]").textContent = count ? `已选${count}件` : "未选择";
    for (const button of bar.querySelectorAll("button")) button.disabled = count === 0;
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    o: () => row()?.querySelector(".main a").click(),
    Enter: () => row()?.querySelector(".main a").click(),
    c: claim,
    x: () => select(row()?.querySelector("[name=id]")),
    a: selectAll,
    n: () => location.assign(root.dataset.next),
    "/": () => document.getElementById("q").select(),
    "?": help,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
    // A link or a button that has the focus does with Enter what it does anywhere.
    if (event.key === "Enter" && event.target.closest?.("a, button, summary")) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.querySelector("[data-keys]").addEventListener("click", help);
  root.querySelector("[data-all]")?.addEventListener("click", selectAll);
  root.addEventListener("change", (event) => event.target.name === "id" && selected());
  document.addEventListener("htmx:after:swap", selected);
  if (root.querySelector("[data-bulk]")) selected();
  news(root);
}

// The counts on the tabs are kept right by others; when the one of this list grows, the list offers to be read again.
function news(root) {
  const mark = document.querySelector(`[data-count="${root.dataset.inbox}"]`);
  const line = root.querySelector("[data-news] > span");
  if (!mark) return;
  let before = parseInt(mark.textContent, 10) || 0;
  new MutationObserver(() => {
    const now = parseInt(mark.textContent, 10) || 0;
    if (now > before) {
      line.querySelector("b").textContent = String(now - before);
      line.hidden = false;
    }
    // What was claimed or done meanwhile makes room: only growth from here is new.
    if (line.hidden) before = now;
  }).observe(mark, { childList: true, characterData: true, subtree: true });
}
