// What another program does with the original's own SDK for JavaScript, unmodified: it prints one JSON object of what it saw.
import Sdk from "camunda-bpm-sdk-js";

const { BASE_URL, PASSWORD, FILES } = process.env;
const answers = { wish: { value: "公租房", type: "String" } };
const said = {};
const none = () => {};  // where the SDK counts its arguments

/** The SDK's resources for somebody who signs in: one person at a time, as it keeps them in its classes. Its paths name the engine. */
function of(login) {
  const basic = Buffer.from(`${login}:${PASSWORD}`).toString("base64");
  const client = new Sdk.Client({ apiUri: BASE_URL, mock: false, headers: { Authorization: `Basic ${basic}` } });
  return (name) => client.resource(name);
}

/** What a call is refused with. */
async function refused(call) {
  try {
    await call;
  } catch (error) {
    return [error.status ?? error.response?.status, error.message];
  }
  return null;
}

let my = of("editor");
const created = await my("deployment").create({ deploymentName: "SDK", deploymentSource: "camunda-bpm-sdk-js", enableDuplicateFiltering: true, deployChangedOnly: true, files: JSON.parse(FILES) });
said.deployed = Object.keys(created.deployedProcessDefinitions);
said.deployment = (await my("deployment").get(created.id)).id === created.id;
said.deployments = (await my("deployment").list({ nameLike: "%测试%" })).count;
said.resources = (await my("deployment").getResources(created.id)).map((each) => each.name);
said.faulty = await refused(my("deployment").create({ deploymentName: "SDK", files: [{ name: "sdk.bpmn", content: "<x/>" }] }));

my = of("asker");
const [id] = said.deployed;
const key = id.split(":")[0];
const listed = await my("process-definition").list({ key, latestVersion: true });
said.definitions = [listed.count, listed.items.length, listed.items[0].id === id];
said.definitionCount = await my("process-definition").count({ key });
said.byKey = (await my("process-definition").getByKey(key)).id === id;
said.xml = (await my("process-definition").xml({ id })).bpmn20Xml.includes("核对");
said.startForm = await my("process-definition").startForm({ key });
said.startVariables = Object.keys(await my("process-definition").formVariables({ key }));
const started = await my("process-definition").start({ key, variables: answers });
const second = await my("process-definition").submitForm({ id, variables: answers });
said.started = [typeof started.id, started.definitionId === id, second.id !== started.id];
said.wrongStart = await refused(my("process-definition").start({ key, variables: { nothing: { value: 1 } } }));

const running = await my("process-instance").list({ processDefinitionKey: key, firstResult: 0, maxResults: 10 });
said.instances = [running.map((each) => each.id).includes(started.id), (await my("process-instance").count({ processDefinitionKey: key })).count];
said.instance = (await my("process-instance").get(started.id)).suspended;

said.variables = (await my("variable").instances({ processInstanceIdIn: [started.id], maxResults: 50 })).map((each) => each.name).includes("wish");

const tasks = await my("task").list({ processInstanceId: started.id });
const [task] = tasks._embedded?.task ?? tasks;
said.task = [task.name, task.assignee];
const counted = await my("task").count({ processInstanceId: started.id });
said.taskCount = counted;
said.got = (await my("task").get(task.id)).id === task.id;
await my("task").claim(task.id, "asker", none);
await my("task").unclaim(task.id);
await my("task").assignee(task.id, "asker", none);
said.form = (await my("task").form(task.id)).key.endsWith(`/task/${task.id}/deployed-form`);
said.formVariables = Object.keys(await my("task").formVariables({ id: task.id }));
await my("task").createComment(task.id, "已核对");
said.comments = (await my("task").comments(task.id)).map((each) => each.message);
said.links = (await my("task").identityLinks(task.id)).map((each) => each.type);
await my("task").localVariable({ id: task.id, varId: "seen", value: "yes", type: "String" });
said.local = (await my("task").localVariables(task.id)).seen?.value;
await my("task").modifyVariables({ id: task.id, modifications: { more: { value: 2 } }, deletions: [] });
await my("task").deleteVariable({ id: task.id, varId: "seen" });
said.left = Object.keys(await my("task").localVariables(task.id));
await my("task").delegate(task.id, "asker_head", none);
said.owner = (await my("task").get(task.id)).owner;
await my("task").assignee(task.id, "asker", none).catch((error) => { said.assign = error.message; });

my = of("asker_head");
said.resolved = await refused(my("task").http.post(`task/${task.id}/resolve`, { data: { variables: { opinion: { value: "可以" } } } }));
my = of("asker");
await my("task").complete({ id: task.id, variables: { result: { value: "yes", type: "String" } } });
said.gone = await refused(my("task").get(task.id));

said.history = (await my("history").task({ processInstanceId: started.id })).map((each) => each.assignee);
said.historyCount = (await my("history").taskCount({ processInstanceId: started.id })).count;
said.ended = (await my("history").processInstance({ processDefinitionKey: key, finished: true })).length;
said.endedCount = (await my("history").processInstanceCount({ processDefinitionKey: key, finished: true })).count;
said.operations = (await my("history").userOperation({ processInstanceId: started.id })).length > 0;

said.report = (await my("history").report({ processDefinitionKeyIn: key, reportType: "duration", periodUnit: "month" })).length;
said.users = (await my("user").list({ id: "provider" }, none)).map((each) => each.lastName);
said.userCount = (await my("user").count({ id: "provider" }, none)).count;
said.profile = (await my("user").profile("provider")).lastName;
said.groups = (await my("group").list({ member: "provider" }, none)).map((each) => each.id).sort();
said.group = (await my("group").get({ id: "013/intake" })).name;

const filter = await my("filter").create({ resourceType: "Task", name: "SDK 清单", owner: "asker", query: { processDefinitionKey: key }, properties: {} });
said.filter = [(await my("filter").get(filter.id)).name, (await my("filter").list({})).map((each) => each.name)];
const filtered = await my("filter").getTasks({ id: filter.id });
said.filtered = (filtered._embedded?.task ?? filtered).length;
await my("filter").delete(filter.id);

said.metrics = await refused(my("metrics").sum({ name: "flow-node-instances" }));
my = of("sysadmin");
said.jobs = (await my("job").list({})).length;
said.incidents = (await my("incident").count({})).count;
my = of("nobody");
said.stranger = await refused(my("task").list({}));
console.log(JSON.stringify(said, null, 1));
