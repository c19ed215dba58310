// Two people have edited the same draft: nothing of either side is lost. Whoever saved second reads who saved first, and keeps
// their own work as a new draft (and may compare the two), or goes on from the other's.
import { askReader } from "./dialogs.js";

const moment = (text) => new Date(text).toLocaleString("zh-CN", { dateStyle: "medium", timeStyle: "short" });

export async function settleConflict({ answer, draft, requests, read, leave }) {
  const choice = await askReader({
    title: "他人已保存过这份草稿",
    words: [
      `${answer.updated_by}于${moment(answer.updated_at)}保存了这份草稿的第${answer.revision}次修改，而您的修改是在那之前的内容上作的，没有保存。`,
      "两边的内容都还在：您可以把自己的另存为一份新草稿，再比较取舍；也可以放弃自己的，接着他人的改。",
    ],
    choices: [
      { value: "keep", label: "把我的另存为新草稿", primary: true },
      { value: "compare", label: "另存并比较两份草稿" },
      { value: "theirs", label: "放弃我的，打开他人保存的" },
      { value: "later", label: "先不处理，留在本页" },
    ],
  });
  if (choice === "theirs") leave(`/drafts/${draft.id}`);
  if (choice === "keep" || choice === "compare") {
    const fresh = await requests("POST", `/drafts/${draft.id}/copies`, { xml: await read() });
    leave(choice === "keep" ? `/drafts/${fresh.id}` : `/comparisons?before=d${draft.id}&after=d${fresh.id}`);
  }
}
