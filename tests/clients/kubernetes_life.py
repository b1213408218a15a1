"""A Job's whole life, by the Python client."""

import sys
from pathlib import Path

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import portforward, stream
from shouting import shouting

home = sys.argv[1]
config.load_kube_config()
batch, core = client.BatchV1Api(), client.CoreV1Api()
print("version", client.VersionApi().get_code().major)

container = client.V1Container(
    name="main", image="busybox",
    command=["sh", "-c", "echo one; while [ ! -e $HOME/go ]; do sleep 0.02; done; echo two"],
    env=[client.V1EnvVar(name="HOME", value=home)],
)
job = client.V1Job(
    metadata=client.V1ObjectMeta(name="a", labels={"of": "python"}),
    spec=client.V1JobSpec(
        backoff_limit=0,
        template=client.V1PodTemplateSpec(
            spec=client.V1PodSpec(restart_policy="Never", containers=[container])
        ),
    ),
)
created = batch.create_namespaced_job("default", job)
print("created", created.metadata.name, created.spec.completions)
try:
    batch.create_namespaced_job("default", job)
except ApiException as error:
    print("again", error.status, error.reason)

pods = watch.Watch()
for event in pods.stream(core.list_namespaced_pod, "default", label_selector="job-name=a", timeout_seconds=20):
    if event["object"].status.phase == "Running":
        pod = event["object"].metadata.name
        pods.stop()


def run(command, stdin=False, preload=True):
    return stream(
        core.connect_get_namespaced_pod_exec, pod, "default", command=command,
        stdin=stdin, stdout=True, stderr=True, tty=False, _preload_content=preload,
    )


print("exec", repr(run(["sh", "-c", "echo out"])))
shell = run(["sh"], stdin=True, preload=False)
shell.write_stdin("echo hi; echo no >&2; exit 3\n")
shell.run_forever(timeout=20)
print("shell", repr(shell.read_stdout()), repr(shell.read_stderr()), shell.returncode)
port = shouting()
forwarded = portforward(core.connect_get_namespaced_pod_portforward, pod, "default", ports=str(port))
to_pod = forwarded.socket(port)
to_pod.setblocking(True)
to_pod.sendall(b"hello")
print("port", to_pod.recv(100), forwarded.error(port))
lines = watch.Watch().stream(core.read_namespaced_pod_log, pod, "default", timestamps=False)
print("log", next(lines))
# Not by `exec`: it would end with the container, and by a signal.
Path(home, "go").touch()
print("log", list(lines))

jobs = watch.Watch()
for event in jobs.stream(batch.list_namespaced_job, "default", field_selector="metadata.name=a", timeout_seconds=20):
    conditions = event["object"].status.conditions or []
    if any(one.type == "Complete" and one.status == "True" for one in conditions):
        print("complete", event["object"].status.succeeded, event["object"].status.completion_time is not None)
        jobs.stop()

# Any kind, by what discovery says of it.
any_kind = dynamic.DynamicClient(client.ApiClient())
found = any_kind.resources.get(api_version="batch/v1", kind="Job")
print("dynamic", [one.metadata.name for one in found.get(namespace="default", label_selector="of=python").items])

patched = batch.patch_namespaced_job("a", "default", {"metadata": {"annotations": {"x": "1"}}})
print("patched", patched.metadata.annotations["x"])
patched.metadata.labels["y"] = "2"
print("replaced", batch.replace_namespaced_job("a", "default", patched).metadata.labels["y"])
reasons = {event.reason for event in core.list_namespaced_event("default").items}
print("events", sorted(reasons & {"SuccessfulCreate", "Completed"}))
# What this gives depends on the release of the client.
batch.delete_namespaced_job("a", "default", body=client.V1DeleteOptions(propagation_policy="Background"))
try:
    batch.read_namespaced_job("a", "default")
except ApiException as error:
    print("gone", error.status, error.reason)
