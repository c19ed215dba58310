// Questions that the modeler asks: a heading, words, and buttons. Escape answers with the last, harmless one.
import { element } from "./panel/dom.js";

// Resolves to the `value` of the chosen button.
export function askReader({ title, words, details = [], choices }) {
  return new Promise((resolve) => {
    const answer = (value) => {
      dialog.close();
      dialog.remove();
      resolve(value);
    };
    const heading = element("h2", { text: title, id: "modeler-dialog-title" });
    const dialog = element("dialog", { class: "modeler-dialog", "aria-labelledby": "modeler-dialog-title" }, [
      heading, ...words.map((text) => element("p", { text })), ...details,
      element("div", { class: "modeler-dialog-choices" }, choices.map(({ value, label, primary }) =>
        element("button", { type: "button", class: `btn${primary ? " btn-primary" : ""}`, text: label, onclick: () => answer(value) }))),
    ]);
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      answer(choices.at(-1).value);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
