// Saves by itself, a moment after the last change, over the revision that the editor has seen; in the same words as the modeler.
// Somebody else's save of another part of the draft is no conflict: this form goes over the new revision. A change of this very
// form is one, and the person decides. What could not be saved waits in this browser.
import { ask } from "./dialogs.js";

const DELAY = 1000;
const RETRY = [3, 6, 12, 30, 60];
const clock = () => new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });

export class Saving {
  constructor(store) {
    this.store = store;
    this.revision = store.server.revision;
    this.digest = store.server.digest;
    this.kept = store.form;
    this.state = "saved";
    this.words = "已保存";
    this.timer = 0;
    this.tries = 0;
    this.busy = false;
    store.listen((what) => what === "form" && this.changed());
    window.addEventListener("beforeunload", (event) => this.state !== "saved" && event.preventDefault());
    document.addEventListener("visibilitychange", () => document.hidden && this.now());
  }

  become(state, words) {
    [this.state, this.words] = [state, words];
    this.store.tell("saving");
  }
  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), milliseconds);
  }
  now() {
    if (["waiting", "offline", "signed-out", "refused"].includes(this.state)) this.save();
  }

  changed() {
    shelve(this.store.server, this.store.form);
    if (this.state === "conflict") return;
    if (this.state !== "offline" && this.state !== "signed-out") this.become("waiting", "有修改，即将保存…");
    if (this.state !== "offline") this.later(DELAY);
  }

  async save() {
    clearTimeout(this.timer);
    if (this.busy) return this.later(DELAY);
    this.busy = true;
    const form = this.store.form;
    this.become("saving", "正在保存…");
    const { status, json } = await this.store.call("PUT", "", { revision: this.revision, form });
    this.busy = false;
    if (status === 200) return this.done(form, json);
    if (status === 401) return this.become("signed-out", "登录已过期，修改保留在本机。请在新窗口重新登录，然后点“立即保存”。");
    if (status === 409 && json.revision) return this.overtaken(json);
    if (status >= 400 && status < 500) return this.become("refused", `未保存：${json.message || "请刷新页面后重试"}`);
    this.become("offline", `未保存：${status ? "系统暂时无法处理" : "网络中断"}，将自动重试`);
    this.later(RETRY[Math.min(this.tries, RETRY.length - 1)] * 1000);
    this.tries += 1;
  }
  done(form, json) {
    [this.revision, this.digest, this.kept, this.tries] = [json.revision, json.digest, form, 0];
    if (this.store.form === form) {
      unshelve(this.store.server);
      return this.become("saved", `已保存 ${clock()}`);
    }
    this.become("waiting", "有修改，即将保存…");
    this.later(DELAY);
  }
  async overtaken(json) {
    this.revision = json.revision;
    if (json.digest === this.digest) return this.save();
    this.theirs = json;
    this.become("conflict", "与他人的修改冲突，未保存");
    await this.settle();
  }
  async settle() {
    const { message, digest } = this.theirs;
    // What takes nothing from anybody stands first, where Enter is.
    const choices = [["", "先不处理，留在本页"], ["fresh", "把我的另存为新草稿"], ["theirs", "放弃我的，打开他人保存的"]];
    if (digest !== null) choices.push(["keep", "保留我的，覆盖他人对此表单的修改"]);
    const more = digest === null ? "此表单已被删除或改名。" : "无论如何选择，流程图和其他表单的修改都不受影响。";
    const choice = await ask("他人已保存过此表单", [message, more], choices);
    if (choice === "theirs") {
      this.state = "saved";
      unshelve(this.store.server);
      window.location.assign(digest === null ? this.store.server.address.replace(/\/[^/]*$/, "") : window.location.href);
    } else if (choice === "fresh") {
      await this.moveOut();
    } else if (choice === "keep") {
      this.digest = digest;
      this.save();
    }
  }
  // My form goes on in a new draft beside this one; theirs stays as it is.
  async moveOut() {
    const { status, json } = await this.store.call("POST", "/copies", { form: this.store.form });
    if (status !== 201 && status !== 200) return this.become("conflict", `未能另存：${json.message || "请稍后重试"}`);
    this.state = "saved";
    unshelve(this.store.server);
    window.location.assign(this.store.server.address.replace(/^\/drafts\/\d+/, `/drafts/${json.id}`));
  }
}

// The safety net in this browser: what was not saved is offered again when the page is opened the next time.
const shelf = (server) => `sharing-bpm:form:${server.address}`;
const guarded = (work) => {
  try {
    return work();
  } catch {
    // A browser without room or with storage switched off still saves on the server.
    return null;
  }
};
const shelve = (server, form) => guarded(() => localStorage.setItem(shelf(server), JSON.stringify({ form, at: new Date().toISOString() })));
const unshelve = (server) => guarded(() => localStorage.removeItem(shelf(server)));

export async function offerShelved(store) {
  const kept = store.editable && guarded(() => JSON.parse(localStorage.getItem(shelf(store.server)) || "null"));
  if (!kept || JSON.stringify(kept.form) === JSON.stringify(store.form)) return;
  const at = new Date(kept.at).toLocaleString("zh-CN", { dateStyle: "medium", timeStyle: "short" });
  const choices = [["yes", "恢复这些修改"], ["no", "不恢复，使用已保存的"]];
  const choice = await ask("上次有修改没有保存", [`这台电脑上保留着${at}未能保存的修改。`], choices);
  if (choice === "yes") store.replace(kept.form);
  if (choice === "no") unshelve(store.server);
}
