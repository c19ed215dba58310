// Dialogs over the page that one reads: the small forms of the office's verbs, and attachments to look at. Without this script
// every one of them is a link to a page of its own.

function opened(className, label) {
  const dialog = document.createElement("dialog");
  dialog.className = `desk-dialog ${className}`;
  dialog.setAttribute("aria-label", label);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  return dialog;
}

// Where the answer is a page of its own (signed out, or no part): the browser goes there itself.
async function part(response, address) {
  const onward = response.headers.get("HX-Redirect");
  if (onward || response.redirected) {
    window.location.assign(onward ?? address);
    return null;
  }
  return response.text();
}

function find(dialog) {
  for (const input of dialog.querySelectorAll("[data-find]")) {
    input.addEventListener("input", () => {
      const wanted = input.value.trim();
      const options = input.closest("fieldset").querySelectorAll(".verb-option");
      for (const option of options) option.hidden = wanted !== "" && !option.textContent.includes(wanted) && !option.querySelector("input").checked;
    });
  }
}

function fill(dialog, text) {
  dialog.innerHTML = text;
  find(dialog);
  const form = dialog.querySelector("form[data-verb]");
  dialog.querySelector("[data-focus]")?.focus();
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "yes";
    try {
      const response = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
      const told = await part(response, form.action);
      if (told !== null) fill(dialog, told);
    } catch {
      delete form.dataset.sent;
      form.submit(); // the browser says what is wrong with the network better than we do
    }
  });
}

async function verb(link) {
  const dialog = opened("verb-dialog", link.textContent.trim());
  try {
    const response = await fetch(link.href, { headers: { "HX-Request": "true" } });
    const text = await part(response, link.href);
    if (text === null) return;
    fill(dialog, text);
    dialog.showModal();
  } catch {
    window.location.assign(link.href);
  }
}

function preview(link) {
  const name = link.dataset.name;
  const dialog = opened("preview-dialog", name);
  const head = document.createElement("header");
  const title = document.createElement("h2");
  title.textContent = name;
  const away = Object.assign(document.createElement("a"), { href: link.href, target: "_blank", rel: "noopener", textContent: "在新窗口打开" });
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: "关闭" });
  close.dataset.close = "";
  head.append(title, away, close);
  const image = link.dataset.preview === "image";
  const shown = document.createElement(image ? "img" : "iframe");
  shown.src = link.href;
  if (image) shown.alt = name;
  else shown.title = name;
  dialog.append(head, shown);
  dialog.showModal();
}

export function openDialogs() {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest?.("a[data-dialog], a[data-preview]");
    if (!link || typeof HTMLDialogElement === "undefined") return;
    event.preventDefault();
    if (link.matches("[data-preview]")) preview(link);
    else verb(link);
  });
}
