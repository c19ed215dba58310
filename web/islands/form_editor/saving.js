// Saves by itself, a moment after the last change, over the revision that the editor has seen. Somebody else's save of
// another part of the draft is no conflict: this form goes over the new revision. A change of this very form is one, and the person decides.
import { call } from "./calls.js";
import { ask } from "./dialogs.js";

const PAUSE = 800;
const AGAIN = 5000;
const WORDS = {
  saved: "已保存", waiting: "有未保存的修改", saving: "正在保存…", failed: "未能保存，稍后自动重试", refused: "未能保存", conflict: "与他人的修改冲突，尚未保存",
};

export class Saving {
  constructor(store) {
    this.store = store;
    this.revision = store.server.revision;
    this.digest = store.server.digest;
    this.kept = store.form;
    this.state = "saved";
    this.message = "";
    this.timer = 0;
    this.busy = false;
    store.listen((what) => what === "form" && this.changed());
    window.addEventListener("beforeunload", (event) => {
      if (this.state !== "saved") event.preventDefault();
    });
  }

  get words() {
    return this.message ? `${WORDS[this.state]}：${this.message}` : WORDS[this.state];
  }
  become(state, message = "") {
    [this.state, this.message] = [state, message];
    this.store.tell("saving");
  }

  changed() {
    if (this.state === "conflict") return;
    if (this.store.form === this.kept && !this.busy) return this.become("saved");
    this.become("waiting");
    this.later(PAUSE);
  }
  later(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), wait);
  }

  async save() {
    clearTimeout(this.timer);
    if (this.busy) return this.later(PAUSE);
    this.busy = true;
    const form = this.store.form;
    this.become("saving");
    const { address, token } = this.store.server;
    const { status, json } = await call("PUT", address, token, { revision: this.revision, form });
    this.busy = false;
    if (status === 200) return this.done(form, json);
    if (status === 409 && json.revision) return this.overtaken(json);
    if (status === 0 || status >= 500) {
      this.later(AGAIN);
      return this.become("failed", status === 0 ? "连接中断或登录已过期" : "");
    }
    this.become("refused", json.message || "请刷新页面后重试");
  }
  done(form, json) {
    [this.revision, this.digest, this.kept] = [json.revision, json.digest, form];
    if (this.store.form === form) return this.become("saved");
    this.become("waiting");
    this.later(PAUSE);
  }
  async overtaken(json) {
    this.revision = json.revision;
    if (json.digest === this.digest) return this.save();
    this.theirs = json;
    this.become("conflict");
    await this.settle();
  }
  async settle() {
    const { message, digest } = this.theirs;
    const choices = [["reload", "放弃我的修改，载入最新内容"]];
    if (digest !== null) choices.push(["keep", "保留我的修改，覆盖对方对此表单的修改"]);
    choices.push(["", "稍后处理"]);
    const more = digest === null ? "此表单已被删除或改名。" : "流程图和其他表单的修改不受影响。";
    const choice = await ask("表单已被他人修改", [message, more], choices);
    if (choice === "reload") {
      this.state = "saved";
      window.location.reload();
    } else if (choice === "keep") {
      this.digest = digest;
      this.save();
    }
  }
}
