// The right side: what the server renders of the form, with the conditions of the real page and a test entry.
// Each answer also brings the findings, which the other panes show at their places.
import { watch } from "../app/conditions.js";

const PAUSE = 300;

export class Preview {
  constructor(store, host) {
    this.store = store;
    this.host = host;
    this.timer = 0;
    this.asked = 0;
    this.touched = false;
    store.listen((what) => what === "form" && this.later());
    host.addEventListener("input", (event) => this.typed(event));
    host.addEventListener("change", (event) => this.typed(event));
    host.addEventListener("submit", (event) => {
      event.preventDefault();
      this.touched = true;
      this.refresh(true);
    });
    host.addEventListener("reset", (event) => {
      event.preventDefault();
      this.touched = false;
      this.refresh();
    });
    this.refresh();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), PAUSE);
  }
  typed(event) {
    if (event.target.dataset.case !== undefined) {
      if (event.type === "input") this.later();
    } else {
      this.touched = true;
    }
  }

  answers() {
    const form = this.host.querySelector("#edit-form");
    if (!form || !this.touched) return null;
    const pairs = [];
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string") pairs.push([name, value]);
      // Nothing is uploaded in a test: that there is a file is what counts.
      else if (value.name) pairs.push([name.replace(/^upload\./, ""), "1"]);
    }
    return pairs;
  }
  case() {
    return Object.fromEntries([...this.host.querySelectorAll("[data-case]")].map((input) => [input.dataset.case, input.value]).filter(([, value]) => value));
  }

  async refresh(test = false) {
    clearTimeout(this.timer);
    const asked = (this.asked += 1);
    const sent = { form: this.store.form, answers: this.answers(), case: this.case(), test };
    const { status, json } = await this.store.call("POST", "/preview", sent);
    if (asked !== this.asked) return; // a later question is on its way
    if (status !== 200) {
      this.host.dataset.state = "stale";
      if (!this.host.firstChild) this.host.textContent = json.message || "预览暂时无法显示，请刷新页面。";
      return;
    }
    this.show(json.html);
    this.host.dataset.state = "current";
    this.store.findings = json.findings;
    this.store.tell("findings");
    if (test) this.host.scrollIntoView({ block: "start" });
  }
  show(html) {
    const active = document.activeElement;
    const id = this.host.contains(active) ? active.id : "";
    const at = id && "selectionStart" in active ? active.selectionStart : null;
    this.host.innerHTML = html;
    watch(this.host);
    const again = id && document.getElementById(id);
    if (again) {
      again.focus({ preventScroll: true });
      if (at !== null && again.type === "text") again.setSelectionRange(at, at);
    }
  }
}
