// The modeler of a draft (web/templates/drafts/page.html). What it is made of:
//   canvas/    bpmn-js in Chinese, with the step library and our language's words
//   panel/     the properties panel
//   saving     autosave, with its safety net; conflicts  when two people edit
//   findings   the check as one draws; files  export and import; shortcuts  the keys
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "bpmn-js/dist/assets/bpmn-font/css/bpmn.css";
import "diagram-js-minimap/assets/diagram-js-minimap.css";
import "./modeler.css";
import "./panel/panel.css";
import { createEditor, fit, open, written } from "./canvas/editor.js";
import { offerTo } from "./canvas/steps.js";
import { settleConflict } from "./conflicts.js";
import { askReader } from "./dialogs.js";
import { createFiles } from "./files.js";
import { createFindings } from "./findings.js";
import { createPanel } from "./panel/index.js";
import { createRequests, SignedOut } from "./requests.js";
import { createSaving, createShelf } from "./saving.js";
import { bindKeys, showShortcuts } from "./shortcuts.js";

async function start(root) {
  const find = (name) => root.querySelector(`[data-${name}]`);
  const draft = JSON.parse(find("draft").textContent);
  const ask = createRequests(root.dataset.csrf, location.pathname);
  const told = root.querySelector(".modeler-told");
  const tell = (words) => {
    told.textContent = words;
    told.hidden = !words;
  };

  const [vocabulary, diagram] = await Promise.all([
    ask("GET", `/drafts/${draft.id}/vocabulary`),
    fetch(`/drafts/${draft.id}/xml`, { credentials: "same-origin", redirect: "manual" }),
  ]);
  if (!diagram.ok) throw new SignedOut();
  draft.revision = Number(diagram.headers.get("X-Revision"));
  const xml = await diagram.text();
  offerTo(vocabulary);

  const modeler = createEditor(find("canvas"));
  const read = () => written(modeler);
  const lost = (unreadable) => {
    if (unreadable.length) tell(`文件中有${unreadable.length}处内容无法识别，保存后将不再保留：${unreadable.slice(0, 3).join("；")}`);
  };
  lost(await open(modeler, xml));

  const shelf = createShelf(draft);
  const state = root.querySelector(".modeler-state");
  let leaving = false;
  const leave = (address) => {
    leaving = true;
    saving.settle();
    location.assign(address);
  };
  const saving = createSaving({
    ask, draft, read, shelf,
    say: (name, words) => {
      state.dataset.state = name;
      state.textContent = words;
      const heading = document.querySelector("[data-draft-saved]");
      if (name === "saved" && heading) heading.textContent = `您${words}`;
    },
    onConflict: (answer) => settleConflict({ answer, draft, requests: ask, read, leave }).catch((error) => tell(`未能另存：${error.message}`)),
  });
  const findings = createFindings({ container: find("findings"), modeler, ask, draft, read });
  const panel = createPanel(find("panel"), modeler, vocabulary, draft);
  const stack = modeler.get("commandStack");
  const touched = () => {
    saving.changed();
    findings.soon();
  };
  modeler.on("commandStack.changed", ({ trigger }) => {
    root.querySelector("[data-act=undo]").disabled = !stack.canUndo();
    root.querySelector("[data-act=redo]").disabled = !stack.canRedo();
    // A cleared stack is a diagram that was opened, not one that was changed.
    if (trigger !== "clear") touched();
  });

  const load = async (text) => {
    const before = await read();
    try {
      lost(await open(modeler, text));
    } catch (error) {
      await open(modeler, before);
      throw error;
    }
    touched();
  };
  const files = createFiles({ modeler, draft, read, load, say: tell });
  const minimap = modeler.get("minimap");
  // The findings below take and give room.
  new ResizeObserver(() => modeler.get("canvas").resized()).observe(find("canvas"));
  const acts = {
    undo: () => stack.undo(),
    redo: () => stack.redo(),
    "zoom-in": () => modeler.get("zoomScroll").stepZoom(1),
    "zoom-out": () => modeler.get("zoomScroll").stepZoom(-1),
    fit: () => fit(modeler),
    minimap: () => minimap.toggle(),
    import: () => find("import").click(),
    keys: showShortcuts,
    save: () => {
      panel.commit();
      return saving.now();
    },
    "next-finding": () => findings.next(),
  };
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act], [data-export]");
    if (!button) return;
    if (button.dataset.act) acts[button.dataset.act]();
    else {
      find("menu").open = false;
      panel.commit();
      files.exports[button.dataset.export]().catch(() => tell("未能导出，请重试。"));
    }
  });
  find("import").addEventListener("change", async ({ target }) => {
    if (target.files[0]) await files.take(target.files[0]);
    target.value = "";
  });
  document.addEventListener("click", (event) => {
    if (!find("menu").contains(event.target)) find("menu").open = false;
  });
  const pressed = () => root.querySelector("[data-act=minimap]").setAttribute("aria-pressed", String(minimap.isOpen()));
  modeler.on("minimap.toggle", pressed);
  pressed();

  bindKeys({ modeler, saving: { now: acts.save }, findings });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && (saving.dirty() || panel.pending())) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) acts.save();
  });

  await offerKept({ shelf, xml, saving, load });
  findings.check();
  root.dataset.ready = "yes";
}

// After a crash, or a closed window without a line: what this browser kept is offered again.
async function offerKept({ shelf, xml, saving, load }) {
  const kept = shelf.kept();
  if (!kept || kept.xml === xml) return;
  const choice = await askReader({
    title: "上次有修改没有保存",
    words: [`这台电脑上保留着${new Date(kept.at).toLocaleString("zh-CN", { dateStyle: "medium", timeStyle: "short" })}未能保存的修改。`],
    choices: [{ value: "yes", label: "恢复这些修改", primary: true }, { value: "no", label: "不恢复，使用已保存的" }],
  });
  if (choice === "no") {
    shelf.clear();
    return;
  }
  saving.from(kept.revision);
  await load(kept.xml);
}

const root = document.getElementById("modeler");
start(root).catch((error) => {
  const told = root.querySelector(".modeler-told");
  told.hidden = false;
  told.textContent = error instanceof SignedOut ? "登录已过期，请重新登录后再打开本页。"
    : /没有可显示的|no diagram/.test(error.message) ? "文件中只有流程，没有图形。请从“导入”打开它：会自动排出图形。"
    : "流程图无法显示，请刷新后重试。可以先从“流程图”列表下载文件。";
  root.dataset.ready = "failed";
  console.error(error);
});
