// The script of every page: Tabler's behaviours (collapsing menu), htmx's swaps, and the forms' conditions.
import "@tabler/core";
import "htmx.org";
import "./app.css";
import { watch } from "./conditions.js";
import { lookAhead } from "./desk/ahead.js";
import { openDialogs } from "./desk/dialogs.js";
import { keepDrafts } from "./desk/draft.js";
import { offerPhrases } from "./desk/phrases.js";
import { inbox } from "./inbox.js";
import { live } from "./live.js";

function ready() {
  watch(document);
  keepDrafts(document);
  lookAhead(document);
  offerPhrases(document);
  openDialogs();
  for (const list of document.querySelectorAll("[data-inbox]")) inbox(list);
  live();
  // After a refused form the reader lands on what is wrong.
  document.querySelector("[data-focus]")?.focus();
  // On a narrow screen the tabs scroll: the one that is open stands in sight.
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      // A second click must not send a second time; the server would refuse it, with a needless fright.
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
else ready();

// Back from another page: the browser may show the form as it was left, and it may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
});
