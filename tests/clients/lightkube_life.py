"""A Job's whole life, by lightkube."""

import sys
from pathlib import Path

import lightkube
from lightkube import ApiError, Client
from lightkube.core.exceptions import ConditionError
from lightkube.models.batch_v1 import JobSpec
from lightkube.models.core_v1 import Container, EnvVar, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.batch_v1 import Job, JobStatus
from lightkube.resources.core_v1 import ConfigMap, Event, Pod
from lightkube.types import CascadeType, PatchType

home = sys.argv[1]
client = Client(field_manager="lightkube")


def job(name, script, **meta):
    container = Container(
        name="main", image="busybox", command=["sh", "-c", script], env=[EnvVar("HOME", home)]
    )
    template = PodTemplateSpec(spec=PodSpec(restartPolicy="Never", containers=[container]))
    return Job(
        metadata=ObjectMeta(name=name, namespace="default", **meta),
        spec=JobSpec(backoffLimit=0, template=template),
    )


a = job("a", "echo one; while [ ! -e $HOME/go ]; do sleep 0.02; done; echo two", labels={"of": "lightkube"})
print("dry", client.create(a, dry_run=True).spec.completions)
created = client.create(a)
print("created", created.metadata.name, created.spec.completions)
try:
    client.create(a)
except ApiError as error:
    print("again", error.status.code, error.status.reason)
try:
    client.create(Job(metadata=ObjectMeta(name="b"), spec=JobSpec(template=PodTemplateSpec())))
except ApiError as error:
    print("wrong", error.status.code, error.status.reason, error.status.details.causes[0].field)

for event, pod in client.watch(Pod, labels={"job-name": "a"}, server_timeout=20):
    if pod.status.phase == "Running":
        break
name = pod.metadata.name
listed = list(client.list(Pod, labels={"job-name": ("a", "b")}, fields={"status.phase": "Running"}))
print("list", [one.metadata.name for one in listed] == [name])
done = client.exec(name, command=["sh", "-c", "echo out; echo err >&2; exit 3"], stdout=True, stderr=True)
print("exec", done)
print("stdin", client.exec(name, command=["cat"], stdin="input", stdout=True))
follows = client.log(name, follow=True)
print("log", repr(next(follows)))
# Not by `exec`: it would end with the container, and by a signal.
Path(home, "go").touch()
print("log", list(follows))
ended = client.wait(Job, "a", for_conditions=["Complete"], raise_for_conditions=["Failed"])
print("complete", ended.status.succeeded, ended.status.completionTime is not None)
print("tail", list(client.log(name, tail_lines=1, newlines=False)))
print("status", client.get(JobStatus, "a").status.succeeded)

client.set(Job, "a", labels={"y": "2"}, annotations={"x": "1"})
patched = client.patch(Job, "a", {"metadata": {"labels": {"y": None}}}, patch_type=PatchType.MERGE)
print("patched", patched.metadata.labels.get("y"), patched.metadata.annotations["x"])
patched = client.patch(
    Job, "a", [{"op": "add", "path": "/metadata/labels/z", "value": "3"}], patch_type=PatchType.JSON
)
patched.metadata.labels["y"] = "4"
replaced = client.replace(patched)
print("replaced", replaced.metadata.labels["y"], replaced.metadata.labels["z"])
try:
    client.replace(patched)
    patched.metadata.resourceVersion = created.metadata.resourceVersion
    client.replace(patched)
except ApiError as error:
    print("conflict", error.status.code, error.status.reason)

settings = ConfigMap(metadata=ObjectMeta(name="c", namespace="default"), data={"k": "v"})
print("applied", client.apply(settings).data, client.apply(settings, field_manager="lightkube").metadata.managedFields[0].manager)
settings.data = {"k": "other"}
try:
    client.apply(settings, field_manager="another")
except ApiError as error:
    print("conflict", error.status.code, error.status.reason)
print("forced", client.apply(settings, field_manager="another", force=True).data)

client.create(job("f", "exit 1", labels={"of": "lightkube"}))
try:
    client.wait(Job, "f", for_conditions=["Complete"], raise_for_conditions=["Failed"])
except ConditionError as error:
    print("failed", error.messages)
reasons = {one.reason for one in client.list(Event, fields={"involvedObject.name": "a"})}
print("events", sorted(reasons & {"SuccessfulCreate", "Completed"}))
print("pages", [one.metadata.name for one in client.list(Job, namespace="*", chunk_size=1)])

client.delete(Job, "a", cascade=CascadeType.FOREGROUND)
for event, gone in client.watch(Job, fields={"metadata.name": "a"}, resource_version=replaced.metadata.resourceVersion):
    if event == "DELETED":
        print("deleted", gone.metadata.name)
        break
try:
    client.get(Job, "a")
except ApiError as error:
    print("gone", error.status.code, error.status.reason)
client.deletecollection(Job, cascade=CascadeType.BACKGROUND)
print("left", [one.metadata.name for one in client.list(Job)])
