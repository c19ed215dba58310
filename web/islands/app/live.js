// Keeps an open page true without reloading: the counts, the number in the title, and a quiet word about a new notice.
//
// It asks /live every ten seconds while somebody can see the page, seldom while nobody can, and less and less often when the
// server does not answer. Asking does not keep a session alive; when that has ended the page says so, and stops asking.

const VISIBLE = 10_000;
const HIDDEN = 60_000;
const SLOWEST = 300_000;
const SHOWN = 20_000;

const stored = (key) => {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null; // storage may be switched off; then a notice is told of on one page only
  }
};
const store = (key, value) => {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // see above
  }
};

class Live {
  constructor(place) {
    this.place = place;
    this.key = `live-${place.dataset.person}`;
    this.title = document.title;
    this.failures = 0;
    this.tag = null;
    this.timer = null;
  }

  begin() {
    document.addEventListener("visibilitychange", () => this.plan(document.hidden ? HIDDEN : this.rest()));
    // Who clicks on quickly is not asked for at each page; the page itself has just brought the counts along.
    this.plan(stored(this.key) === null ? 0 : this.rest());
  }

  // What is left of the interval since this person's last question, on whatever page of this window.
  rest() {
    return Math.min(VISIBLE, Math.max(0, Number(stored(`${this.key}-asked`) || 0) + VISIBLE - Date.now()));
  }

  plan(wait) {
    clearTimeout(this.timer);
    if (!this.ended) this.timer = setTimeout(() => this.ask(), wait);
  }

  async ask() {
    store(`${this.key}-asked`, Date.now());
    const since = stored(this.key);
    const headers = { Accept: "application/json", ...(this.tag ? { "If-None-Match": this.tag } : {}) };
    try {
      const answer = await fetch(since === null ? "/live" : `/live?since=${since}`, { headers, cache: "no-store", redirect: "error" });
      if (answer.status === 401 || answer.status === 403) return this.end();
      if (answer.status === 200) {
        this.tag = answer.headers.get("ETag");
        this.show(await answer.json(), since !== null);
      } else if (answer.status !== 304) throw new Error(String(answer.status));
      this.failures = 0;
    } catch {
      this.failures += 1;
    }
    const usual = document.hidden ? HIDDEN : VISIBLE;
    this.plan(Math.min(SLOWEST, usual * 2 ** Math.min(this.failures, 5)));
  }

  show(found, known) {
    store(this.key, found.newest);
    count(found.counts);
    document.title = found.counts.notices ? `(${words(found.counts.notices)}) ${this.title}` : this.title;
    if (known) for (const notice of found.fresh) this.tell(notice);
  }

  tell(notice) {
    const form = document.createElement("form");
    form.className = "told";
    form.method = "post";
    form.action = `/notices/${notice.id}/open`;
    const token = document.createElement("input");
    Object.assign(token, { type: "hidden", name: "csrf_token", value: this.place.dataset.token });
    const text = document.createElement("button");
    Object.assign(text, { type: "submit", className: "told-text", textContent: `新消息：${notice.title}` });
    const close = document.createElement("button");
    Object.assign(close, { type: "button", className: "told-close", textContent: "×" });
    close.setAttribute("aria-label", "关闭提示");
    close.addEventListener("click", () => form.remove());
    form.append(token, text, close);
    this.place.append(form);
    this.fade(form);
  }

  // Nothing disappears under somebody's hand; it is in the list of notices in any case.
  fade(form) {
    setTimeout(() => (form.matches(":hover, :focus-within") ? this.fade(form) : form.remove()), SHOWN);
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
    const told = document.createElement("p");
    told.className = "told";
    const link = document.createElement("a");
    Object.assign(link, { href: "/sign-in", className: "told-text", textContent: "登录已失效，请重新登录" });
    told.append(link);
    this.place.replaceChildren(told);
  }
}

const words = (number) => (number > 99 ? "99+" : String(number));

// Every element with data-count="mine" (posts, copies, notices) shows that number; one of none is hidden, with its
// data-count-box around it, unless it says data-count-zero.
export function count(counts) {
  for (const element of document.querySelectorAll("[data-count]")) {
    const number = counts[element.dataset.count];
    if (number === undefined) continue;
    element.textContent = words(number);
    if (!("countZero" in element.dataset)) (element.closest("[data-count-box]") ?? element).hidden = number === 0;
  }
}

export function live() {
  const place = document.querySelector("[data-live]");
  if (place) new Live(place).begin();
}
