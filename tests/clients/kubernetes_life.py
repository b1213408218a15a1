"""A Job's whole life, by the Python client."""

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

config.load_kube_config()
batch, core = client.BatchV1Api(), client.CoreV1Api()
print("version", client.VersionApi().get_code().major)

container = client.V1Container(
    name="main", image="busybox", command=["sh", "-c", "echo one; sleep 0.2; echo two"],
    env=[client.V1EnvVar(name="A", value="b")],
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
    if event["object"].status.phase in ("Running", "Succeeded"):
        pod = event["object"].metadata.name
        pods.stop()
print("log", list(watch.Watch().stream(core.read_namespaced_pod_log, pod, "default")))

jobs = watch.Watch()
for event in jobs.stream(batch.list_namespaced_job, "default", field_selector="metadata.name=a", timeout_seconds=20):
    conditions = event["object"].status.conditions or []
    if any(one.type == "Complete" and one.status == "True" for one in conditions):
        print("complete", event["object"].status.succeeded, event["object"].status.completion_time is not None)
        jobs.stop()

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
