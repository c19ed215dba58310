// What the editor calls things, for people who draw forms.
export const TYPES = {
  text: "单行文字", textarea: "多行文字", integer: "整数", number: "数字", date: "日期", phone: "电话", choice: "单选（全部列出）", select: "单选（下拉）",
  choices: "多选", fields: "多选数据项", boolean: "勾选确认", file: "附件", note: "说明文字",
};

export const HELP = {
  key: "流程图的条件和公文用它引用答案：小写英文、数字和下划线。",
  missing: "必填而未填时给办理人看的话；不写则为“请填写……”。",
  when: "表达式为真时才显示；不显示的字段不要求填写，也不记入办件。",
  value: "表达式，打开表单时先填好；文字要加引号，如 \"市级\"。",
  readonly: "只给办理人看，不能修改。",
  options_from: "给出选项列表的表达式，取自办件数据，如 resource.items。",
  pattern: "正则表达式，整段文字须与之相符，如 [0-9]{17}[0-9X]。",
  bulk: "办理人可以在收件箱里选中多件，用这一张表单一起办结；不能有附件字段，也不能用到办件数据。",
  opinion_when: "表达式为真时，办理人必须另写意见，如退回。",
};

// Attributes that are typed as expressions, and those that are numbers.
export const EXPRESSIONS = ["when", "value", "options_from", "opinion_when"];
export const NUMBERS = ["rows", "max_length", "min", "max"];
export const FLAGS = ["required", "readonly"];
export const LONG = ["help", "missing", "when", "value", "options_from", "opinion_when", "pattern_message"];
