"""A Job's whole life, by kr8s."""

import os
import socket
import sys
from pathlib import Path

import kr8s
from kr8s.objects import Job, Table, objects_from_files
from shouting import shouting

home = sys.argv[1]
MANIFEST = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "a", "namespace": "default", "labels": {"of": "kr8s"}},
    "spec": {
        "backoffLimit": 0,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [
                    {
                        "name": "main",
                        "image": "busybox",
                        "command": ["sh", "-c", "echo one; while [ ! -e $HOME/go ]; do sleep 0.02; done; echo two"],
                        "env": [{"name": "HOME", "value": home}],
                    }
                ],
            }
        },
    },
}

print("version", kr8s.version()["major"])
job = Job(MANIFEST)
job.create()
print("created", job.name, job.spec.completions)
try:
    Job(MANIFEST).create()
except kr8s.ServerError as error:
    print("again", error.response.status_code, error.status["reason"])
try:
    Job({**MANIFEST, "metadata": {"name": "b"}, "spec": {"template": {"spec": {}}}}).create()
except kr8s.ServerError as error:
    print("wrong", error.response.status_code, error.status["reason"])

for event, pod in kr8s.watch("pods", namespace="default", label_selector={"job-name": "a"}):
    if pod.status.phase == "Running":
        break
print("pod", pod.name.startswith("a-"), [one.name for one in kr8s.get("pods", label_selector="job-name=a")] == [pod.name])
done = pod.exec(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
print("exec", done.stdout, done.stderr, done.returncode)
port = shouting()
with pod.portforward(remote_port=port, local_port="auto") as local:
    with socket.create_connection(("127.0.0.1", local)) as to_pod:
        to_pod.sendall(b"hello")
        print("port", to_pod.recv(100))
follows = pod.logs(follow=True)
print("log", next(follows))
# Not by `exec`: it would end with the container, and by a signal.
Path(home, "go").touch()
print("log", list(follows))
job.wait("condition=Complete", timeout=20)
job.refresh()
print("complete", job.status.succeeded, "completionTime" in job.status)
print("tail", list(pod.logs(tail_lines=1)), len(list(pod.logs(timestamps=True))))
pod.wait("jsonpath='{.status.phase}'=Succeeded")

job.label(y="2")
job.annotate(x="1")
print("labelled", job.labels.y, job.annotations.x)
job.remove_label("y")
print("labels", sorted(job.labels))
job.patch([{"op": "replace", "path": "/spec/suspend", "value": True}], type="json")
print("suspend", job.spec.suspend)
print("list", [one.name for one in Job.list(namespace="default", label_selector={"of": "kr8s"})])
print("fields", [one.name for one in kr8s.get("jobs", field_selector={"metadata.name": "a"})])
print("named", Job.get("a").name, kr8s.whoami() == os.environ["WHO"])
print("resources", {"jobs", "pods"} <= {one["name"] for one in kr8s.api().api_resources()})
(table,) = kr8s.get("jobs", as_object=Table)
print("table", [one["name"] for one in table.column_definitions][:2], table.rows[0]["cells"][:2])
with open(f"{home}/job.yaml", "w") as file:
    file.write(job.to_yaml())
print("yaml", [one.name for one in objects_from_files(f"{home}/job.yaml")])
print("events", sorted({one.raw.reason for one in kr8s.get("events")} & {"SuccessfulCreate", "Completed"}))
job.delete(propagation_policy="Background")
job.wait("delete", timeout=20)
print("exists", job.exists())
try:
    Job.get("a")
except kr8s.NotFoundError as error:
    print("gone", "a" in str(error))
try:
    job.refresh()
except kr8s.NotFoundError as error:
    print("gone", True)
