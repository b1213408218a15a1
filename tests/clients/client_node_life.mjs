// A Job's whole life, by @kubernetes/client-node.

import { PassThrough, Readable } from "node:stream";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import {
  ApiException,
  BatchV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  Metrics,
  PatchStrategy,
  VersionApi,
  Watch,
  makeInformer,
  setHeaderOptions,
} from "@kubernetes/client-node";

const home = process.argv[2];
const namespace = "default";
const config = new KubeConfig();
config.loadFromDefault();
const batch = config.makeApiClient(BatchV1Api);
const core = config.makeApiClient(CoreV1Api);

async function refused(what, ask) {
  try {
    await ask();
    console.log(what, "was not refused");
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    const status = typeof error.body === "string" ? JSON.parse(error.body) : error.body;
    console.log(what, error.code, status.reason);
  }
}

/** All that a stream brings, as text. */
function collected(stream) {
  const pieces = [];
  stream.on("data", (piece) => pieces.push(piece));
  return { text: () => Buffer.concat(pieces).toString() };
}

async function exec(pod, command, input) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const [heard, scolded] = [collected(out), collected(err)];
  const stdin = input === undefined ? null : Readable.from([Buffer.from(input)]);
  const status = await new Promise((resolve, reject) => {
    new Exec(config).exec(namespace, pod, "main", command, out, err, stdin, false, resolve).catch(reject);
  });
  return [heard.text(), scolded.text(), status.status, status.details?.causes?.[0]?.message];
}

console.log("version", (await config.makeApiClient(VersionApi).getCode()).major);
const job = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name: "a", labels: { of: "node" } },
  spec: {
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: "Never",
        containers: [
          {
            name: "main",
            image: "busybox",
            command: ["sh", "-c", "echo one; while [ ! -e $HOME/go ]; do sleep 0.02; done; echo two"],
            env: [{ name: "HOME", value: home }],
          },
        ],
      },
    },
  },
};

// What changes, as an informer tells it.
const seen = [];
const informer = makeInformer(config, `/apis/batch/v1/namespaces/${namespace}/jobs`, () =>
  batch.listNamespacedJob({ namespace }),
);
informer.on("add", (one) => seen.push(`add ${one.metadata.name}`));
const informed = new Promise((resolve) => informer.on("delete", (one) => resolve(`delete ${one.metadata.name}`)));
let isOver = false;
informer.on("error", (error) => isOver || console.log("informer", error));
await informer.start();

const created = await batch.createNamespacedJob({ namespace, body: job });
console.log("created", created.metadata.name, created.spec.completions);
await refused("again", () => batch.createNamespacedJob({ namespace, body: job }));
await refused("wrong", () =>
  batch.createNamespacedJob({ namespace, body: { metadata: { name: "b" }, spec: { template: { spec: {} } } } }),
);

/** The first object that a watch brings and that is wanted. */
function watched(path, query, isWanted) {
  return new Promise((resolve, reject) => {
    const watch = new Watch(config).watch(
      path,
      query,
      (type, object) => {
        if (!isWanted(type, object)) return;
        watch.then((controller) => controller.abort());
        resolve(object);
      },
      (error) => (error && error !== Watch.SERVER_SIDE_CLOSE ? reject(error) : undefined),
    );
    watch.catch(reject);
  });
}

const running = await watched(
  `/api/v1/namespaces/${namespace}/pods`,
  { labelSelector: "job-name=a" },
  (_, pod) => pod.status.phase === "Running",
);
const pod = running.metadata.name;
const found = await core.listNamespacedPod({ namespace, labelSelector: "job-name=a", fieldSelector: "status.phase=Running" });
console.log("list", found.items.length, found.items[0].metadata.name === pod);
console.log("exec", await exec(pod, ["sh", "-c", "echo out; echo err >&2; exit 3"]));
console.log("stdin", await exec(pod, ["cat"], "input"));

const stream = new PassThrough();
const log = collected(stream);
await new Log(config).log(namespace, pod, "main", stream, { follow: true });
await once(stream, "data");
console.log("log", JSON.stringify(log.text()));
// Not by `exec`: it would end with the container, and by a signal.
writeFileSync(`${home}/go`, "");
await once(stream, "end");
console.log("log", JSON.stringify(log.text()));
console.log("tail", JSON.stringify(await core.readNamespacedPodLog({ name: pod, namespace, tailLines: 1 })));

const ended = await watched(
  `/apis/batch/v1/namespaces/${namespace}/jobs`,
  { fieldSelector: "metadata.name=a", allowWatchBookmarks: true },
  (_, one) => one.status?.conditions?.some((condition) => condition.type === "Complete" && condition.status === "True"),
);
console.log("complete", ended.status.succeeded);

const patches = [
  [PatchStrategy.StrategicMergePatch, { metadata: { labels: { y: "1" } } }],
  [PatchStrategy.MergePatch, { metadata: { labels: { y: "2" } } }],
  [PatchStrategy.JsonPatch, [{ op: "replace", path: "/metadata/labels/y", value: "3" }]],
];
let patched;
for (const [strategy, body] of patches) {
  patched = await batch.patchNamespacedJob({ name: "a", namespace, body }, setHeaderOptions("Content-Type", strategy));
  console.log("patched", patched.metadata.labels.y);
}
const stale = structuredClone(created);
await refused("conflict", () => batch.replaceNamespacedJob({ name: "a", namespace, body: stale }));
const fresh = await batch.readNamespacedJob({ name: "a", namespace });
fresh.metadata.annotations = { x: "1" };
console.log("replaced", (await batch.replaceNamespacedJob({ name: "a", namespace, body: fresh })).metadata.annotations.x);

// Any kind, by what discovery says of it.
const objects = KubernetesObjectApi.makeApiClient(config);
const settings = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace }, data: { k: "v" } };
const applied = await objects.patch(settings, undefined, undefined, "node", undefined, PatchStrategy.ServerSideApply);
console.log("applied", applied.data.k, applied.metadata.managedFields[0].manager);
console.log("objects", (await objects.list("batch/v1", "Job", namespace)).items.map((one) => one.metadata.name));
const events = await core.listNamespacedEvent({ namespace, fieldSelector: "involvedObject.name=a" });
const reasons = new Set(events.items.map((one) => one.reason));
console.log("events", ["Completed", "SuccessfulCreate"].filter((reason) => reasons.has(reason)));
console.log("metrics", (await new Metrics(config).getNodeMetrics()).items.length);

await batch.deleteNamespacedJob({ name: "a", namespace, propagationPolicy: "Foreground" });
console.log(seen, await informed);
await refused("gone", () => batch.readNamespacedJob({ name: "a", namespace }));
isOver = true;
await informer.stop();
