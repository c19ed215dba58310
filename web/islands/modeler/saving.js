// Autosave: a second after the last change the draft is put on the server, with the revision that this page has seen. What
// could not be saved waits in the browser, and the page says in words how things stand.
//
// States: saved · waiting (changed, not yet sent) · saving · offline (tries again by itself) · signed-out · conflict · refused.
import { Refused, SignedOut } from "./requests.js";

const DELAY = 1000;
const KEEP = 400;
const RETRY = [3, 6, 12, 30, 60];

const clock = (moment) => moment.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });

export function createSaving({ ask, draft, read, shelf, say, onConflict }) {
  let revision = draft.revision;
  let changes = 0;
  let saved = 0;
  let state = "saved";
  let timer = 0;
  let tries = 0;
  let running = null;
  let keeping = 0;

  const set = (next, words) => {
    state = next;
    say(next, words);
  };
  const schedule = (seconds) => {
    clearTimeout(timer);
    timer = setTimeout(save, seconds * 1000);
  };

  async function send() {
    const number = changes;
    const xml = await read();
    shelf.keep(xml, revision);
    set("saving", "正在保存…");
    const answer = await ask("PUT", `/drafts/${draft.id}/xml`, { revision, xml });
    revision = answer.revision;
    saved = number;
    tries = 0;
    if (saved === changes) {
      shelf.clear();
      set("saved", `已保存 ${clock(new Date())}`);
    } else schedule(DELAY / 1000);
  }

  function failed(error) {
    if (error instanceof SignedOut) {
      set("signed-out", "登录已过期，修改保留在本机。请在新窗口重新登录，然后点“立即保存”。");
    } else if (error instanceof Refused && error.status === 409 && error.answer.revision) {
      set("conflict", "与他人的修改冲突，未保存");
      onConflict(error.answer);
    } else if (error instanceof Refused && error.status < 500) {
      set("refused", `未保存：${error.message}`);
    } else {
      const wait = RETRY[Math.min(tries, RETRY.length - 1)];
      tries += 1;
      set("offline", `未保存：${error instanceof Refused ? "系统暂时无法处理" : "网络中断"}，将自动重试`);
      schedule(wait);
    }
  }

  // Also while nothing can be sent: a crash then costs no more than the last moments.
  async function keep() {
    if (saved === changes) return;
    const xml = await read();
    if (saved !== changes) shelf.keep(xml, revision);
  }

  // One save at a time; a change in between is saved next.
  async function save() {
    clearTimeout(timer);
    if (running || saved === changes || state === "conflict") return running;
    running = send().catch(failed);
    await running;
    running = null;
    return null;
  }

  return {
    changed() {
      changes += 1;
      clearTimeout(keeping);
      keeping = setTimeout(keep, KEEP);
      if (state === "conflict") return;
      if (!["offline", "signed-out"].includes(state)) set("waiting", "有修改，即将保存…");
      if (state !== "offline") schedule(DELAY / 1000);
    },
    now: save,
    dirty: () => saved !== changes,
    revision: () => revision,
    // The draft is no longer this page's to save: what is here was kept elsewhere or given up.
    settle() {
      clearTimeout(timer);
      saved = changes;
      shelf.clear();
    },
    // What is here shall be saved over what the server has, whatever it knew before.
    from(number) {
      revision = number;
    },
  };
}

// The safety net in this browser: the last diagram that was not saved, offered again when the page is opened the next time.
export function createShelf(draft) {
  const place = `sharing-bpm:draft:${draft.id}`;
  const guarded = (work) => {
    try {
      return work();
    } catch {
      // A browser without room or with storage switched off still saves on the server.
      return null;
    }
  };
  return {
    keep: (xml, revision) => guarded(() => localStorage.setItem(place, JSON.stringify({ xml, revision, at: new Date().toISOString() }))),
    kept: () => guarded(() => JSON.parse(localStorage.getItem(place) || "null")),
    clear: () => guarded(() => localStorage.removeItem(place)),
  };
}
