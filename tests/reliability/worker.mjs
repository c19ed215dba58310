// A worker of the platform, written as the client's documentation shows. It says on standard output what it does.
import { Client, Variables, logger } from "camunda-external-task-client-js";

const { BASE_URL, TOKEN, WORKER, MODE, LOCK } = process.env;
const client = new Client({
  baseUrl: BASE_URL, workerId: WORKER, maxTasks: 5, lockDuration: Number(LOCK), asyncResponseTimeout: 5000, interval: 100,
  interceptors: (config) => ({ ...config, headers: { ...config.headers, Authorization: `Bearer ${TOKEN}` } }),
});
client.on("poll:error", (error) => console.log("poll:error", String(error)));
client.on("complete:error", (task, error) => console.log("complete:error", String(error)));
client.on("handleFailure:success", () => console.log("failed"));

client.subscribe("grants", async ({ task, taskService }) => {
  console.log("fetched", task.id);
  if (MODE === "hang") return;
  if (MODE === "fail") {
    await taskService.handleFailure(task, { errorMessage: "platform unreachable", errorDetails: "ECONNREFUSED", retries: 0, retryTimeout: 0 });
    return;
  }
  if (MODE === "error") {
    await taskService.handleBpmnError(task, "NO_SUCH_RESOURCE", "no such resource");
    return;
  }
  const result = new Variables();
  result.set("number", `JS-${task.variables.get("applicant_unit")}-${task.variables.get("fields").length}`);
  await taskService.extendLock(task, 60000);
  await taskService.complete(task, result);
  console.log("completed", task.id);
});
