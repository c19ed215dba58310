// The editor of a draft's form: fields, their settings, preview and test entry.
// <script type="application/json" id="edit-state"> holds what it begins with (web/pages/draft_forms.py).
import { h, render } from "preact";
import "./form_editor.css";
import { Bar } from "./bar.js";
import { Fields } from "./fields.js";
import { Preview } from "./preview.js";
import { Properties } from "./properties.js";
import { Saving, offerShelved } from "./saving.js";
import { Store } from "./store.js";

const place = (id) => document.getElementById(id);

function begin() {
  const store = new Store(JSON.parse(place("edit-state").textContent));
  const saving = new Saving(store);
  const draw = () => {
    render(h(Bar, { store, saving }), place("edit-bar"));
    render(h(Fields, { store }), place("edit-fields"));
    render(h(Properties, { store }), place("edit-properties"));
  };
  store.listen(draw);
  draw();
  new Preview(store, place("edit-preview"));
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || !["s", "z", "y"].includes(key)) return;
    // The preview's answers and the JSON text are the browser's own to undo.
    if (key !== "s" && event.target.closest("#edit-preview, dialog")) return;
    event.preventDefault();
    if (key === "s") saving.now();
    else if (key === "y" || event.shiftKey) store.redo();
    else store.undo();
  });
  offerShelved(store);
}

begin();
