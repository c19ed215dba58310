// Canned phrases: fetched when the menu beside an opinion is first opened, inserted where the cursor stands.

export function offerPhrases(root) {
  for (const menu of root.querySelectorAll("details[data-phrases]")) {
    const text = menu.closest(".field").querySelector("textarea");
    const list = menu.querySelector(".phrases-list");
    menu.addEventListener("toggle", async () => {
      if (!menu.open || list.dataset.filled) return;
      try {
        const response = await fetch("/phrases", { headers: { "HX-Request": "true" }, redirect: "error" });
        if (!response.ok) return;
        list.innerHTML = await response.text();
        list.dataset.filled = "yes";
      } catch {
        // The link to the phrases' own page still stands there.
      }
    });
    list.addEventListener("click", (event) => {
      const chosen = event.target.closest("[data-phrase]");
      if (!chosen) return;
      text.setRangeText(chosen.dataset.phrase, text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input", { bubbles: true }));
      menu.open = false;
      text.focus();
    });
    document.addEventListener("click", (event) => {
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
}
