// The page's one dialog: a question with buttons, or whatever a part of the editor fills it with.

const dialog = () => document.getElementById("edit-dialog");

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Opens the dialog with a heading and contents; the promise gives the value of the button that closed it ("" for Escape).
export function open(title, contents, buttons) {
  const box = dialog();
  const heading = element("h2", { id: "edit-dialog-title" }, title);
  const foot = element("div", { className: "form-foot" });
  return new Promise((resolve) => {
    const close = (value) => {
      box.onclose = null;
      box.close();
      resolve(value);
    };
    for (const [value, words, act] of buttons) {
      const button = element("button", { type: "button", className: foot.children.length ? "btn" : "btn btn-primary" }, words);
      // An act may keep the dialog open by giving false.
      button.onclick = async () => (!act || (await act()) !== false) && close(value);
      foot.append(button);
    }
    box.setAttribute("aria-labelledby", heading.id);
    box.replaceChildren(heading, ...contents, foot);
    box.onclose = () => resolve("");
    box.showModal();
  });
}

export function ask(title, sentences, choices) {
  return open(title, sentences.map((sentence) => element("p", {}, sentence)), choices);
}
