//! The work-queue tutorials of the Kubernetes documentation with real servers: Redis, RabbitMQ, and pods that ping each other.
//! The manifests are those of the tutorials; `image set` says what their images would contain. A test whose programs are not on
//! this machine says so and does nothing.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};
use serde_json::json;

use crate::common::{PATH, SOON, World, eventually, is_root};
use crate::volumes::has_namespaces;

/// The right to the ports of this machine that servers have: other test runs may be at it.
pub(crate) struct Ports(#[expect(dead_code, reason = "held until it is dropped")] Option<Flock<File>>);

/// What a test needs of the machine; `None`, with the reason printed, where it is not there.
pub(crate) fn ready(programs: &[&str], ports: &[u16]) -> Option<Ports> {
    let is_there =
        |program: &str| PATH.split(':').any(|directory| Path::new(directory).join(program).exists());
    let skip = |why: String| {
        eprintln!("skipped: {why}");
        None
    };
    if let Some(missing) = programs.iter().find(|program| !is_there(program)) {
        return skip(format!("{missing} is not on this machine"));
    }
    if !has_namespaces() {
        return skip("names of pods need namespaces, which are refused here".into());
    }
    if ports.is_empty() {
        return Some(Ports(None));
    }
    let file = File::create(std::env::temp_dir().join("jobctl-test-ports.lock")).ok()?;
    let lock = Flock::lock(file, FlockArg::LockExclusive).ok()?;
    if let Some(taken) = ports.iter().find(|port| TcpListener::bind(("0.0.0.0", **port)).is_err()) {
        return skip(format!("port {taken} is taken"));
    }
    Some(Ports(Some(lock)))
}

/// Writes a program as an image would contain it; returns its path.
fn program(world: &World, name: &str, text: &str) -> String {
    let _ = world.manifest(name, text);
    let path = world.path(&format!("work/{name}"));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
    path.display().to_string()
}

/// What somebody types in a temporary pod of the tutorial.
fn temporary_pod(world: &World, image: &str, script: &str) {
    let container = json!({"name": "temp", "image": image, "command": ["sh", "-ec", script]});
    let spec = json!({"restartPolicy": "Never", "containers": [container]});
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "temp"}, "spec": spec}).to_string();
    let _ = world.command("apply -f -").stdin(pod).run().success();
    let _ = world.run("wait --for=jsonpath={.status.phase}=Succeeded pod/temp --timeout=60s").success();
    let _ = world.run("delete pod temp").success();
}

/// The server was there, and nothing of it is left.
fn gone(world: &World, programs: &[&str]) {
    for program in programs {
        eventually(SOON, || world.processes_named(program).is_empty());
    }
}

const REDIS: &str = r#"{
  apiVersion: "v1",
  kind: "Pod",
  metadata: {name: "redis-master", labels: {app: "redis"}},
  spec: {
    containers: [{
      name: "master",
      image: "redis",
      env: [{name: "MASTER", value: "true"}],
      ports: [{containerPort: 6379}],
    }],
  },
}
---
{
  apiVersion: "v1",
  kind: "Service",
  metadata: {name: "redis"},
  spec: {ports: [{port: 6379, targetPort: 6379}], selector: {app: "redis"}},
}
"#;

const REDIS_JOB: &str = "apiVersion: batch/v1
kind: Job
metadata:
  name: job-wq-2
spec:
  parallelism: 2
  template:
    metadata:
      name: job-wq-2
    spec:
      containers:
      - name: c
        image: gcr.io/myproject/job-wq-2
      restartPolicy: OnFailure
";

const REDIS_WORKER: &str = r#"#!/bin/sh
# Leases items one after the other until the queue is empty.
while item=$(redis-cli -h redis rpoplpush job2 "job2:$HOSTNAME") && [ -n "$item" ]; do
  echo "Working on $item"
  sleep 0.05
  redis-cli -h redis lrem "job2:$HOSTNAME" 1 "$item" > /dev/null
done
echo "Queue empty, exiting"
"#;

#[test]
fn pods_work_through_a_queue_in_redis() {
    let Some(_ports) = ready(&["redis-server", "redis-cli"], &[6379]) else { return };
    let world = World::new();
    let worker = program(&world, "worker.sh", REDIS_WORKER);
    let _ = world.run("image set redis -- redis-server --save ''").success();
    let _ = world.run(&format!("image set gcr.io/myproject/job-wq-2 -- {worker}")).success();
    let applied = world.command("apply -f -").stdin(REDIS).run().success();
    assert_eq!(
        (applied.stdout.as_str(), applied.stderr.as_str()),
        ("pod/redis-master created\nservice/redis created\n", "")
    );
    let _ = world.run("wait --for=condition=Ready pod/redis-master --timeout=30s").success();

    let fruits = ["apple", "banana", "cherry", "date", "fig", "grape", "lemon", "melon", "orange"];
    let push: String =
        fruits.iter().map(|fruit| format!("redis-cli -h redis rpush job2 {fruit}; ")).collect();
    temporary_pod(&world, "redis", &format!("until redis-cli -h redis ping; do sleep 0.05; done; {push}"));
    assert_eq!(world.processes_named("redis-server").len(), 1);

    world.command("apply -f -").stdin(REDIS_JOB).run().is(0, "job.batch/job-wq-2 created\n", "");
    let waited = world.run("wait --for=condition=complete --timeout=60s job/job-wq-2");
    waited.prints("job.batch/job-wq-2 condition met\n");
    let logs = world.run("logs job/job-wq-2 --all-pods --prefix=false").success().stdout;
    let mut worked: Vec<&str> = logs.lines().filter_map(|line| line.strip_prefix("Working on ")).collect();
    worked.sort_unstable();
    assert_eq!(worked, fruits, "each once");
    assert_eq!(logs.lines().filter(|line| *line == "Queue empty, exiting").count(), 2);

    let _ = world.run("delete pod redis-master --grace-period=2").success();
    gone(&world, &["redis-server"]);
}

const RABBITMQ: &str = r#"{
  apiVersion: "v1",
  kind: "Service",
  metadata: {labels: {component: "rabbitmq"}, name: "rabbitmq-service"},
  spec: {
    ports: [{port: 5672}],
    selector: {app.kubernetes.io/name: "task-queue", app.kubernetes.io/component: "rabbitmq"},
  },
}
---
{
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: {labels: {component: "rabbitmq"}, name: "rabbitmq"},
  spec: {
    replicas: 1,
    serviceName: "rabbitmq-service",
    selector: {
      matchLabels: {app.kubernetes.io/name: "task-queue", app.kubernetes.io/component: "rabbitmq"},
    },
    template: {
      metadata: {
        labels: {app.kubernetes.io/name: "task-queue", app.kubernetes.io/component: "rabbitmq"},
      },
      spec: {
        containers: [{
          image: "rabbitmq",
          name: "rabbitmq",
          ports: [{containerPort: 5672}],
          resources: {requests: {memory: "16M"}, limits: {cpu: "250m", memory: "512M"}},
          volumeMounts: [{mountPath: "/var/lib/rabbitmq", name: "rabbitmq-data"}],
        }],
        volumes: [{name: "rabbitmq-data", emptyDir: {}}],
      },
    },
  },
}
"#;

const RABBITMQ_JOB: &str = "apiVersion: batch/v1
kind: Job
metadata:
  name: job-wq-1
spec:
  completions: 8
  parallelism: 2
  template:
    metadata:
      name: job-wq-1
    spec:
      containers:
      - name: c
        image: gcr.io/myproject/job-wq-1
        env:
        - name: BROKER_URL
          value: amqp://guest:guest@rabbitmq-service:5672
        - name: QUEUE
          value: job1
      restartPolicy: OnFailure
";

#[test]
fn each_pod_takes_one_message_from_rabbitmq() {
    let server = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    let programs = [server, "epmd", "amqp-declare-queue", "amqp-publish", "amqp-consume"];
    let Some(_ports) = ready(&programs, &[4369, 5672, 25672]) else { return };
    let world = World::new();
    let worker = program(&world, "worker.sh", "#!/bin/sh\necho \"Processing $(cat)\"\n");
    let home =
        "--env HOME=/var/lib/rabbitmq --env RABBITMQ_LOG_BASE=/var/lib/rabbitmq/log --env RABBITMQ_LOGS=-";
    let _ = world.run(&format!("image set rabbitmq {home} -- {server}")).success();
    let consume = format!("/usr/bin/amqp-consume --url=$BROKER_URL -q $QUEUE -c 1 {worker}");
    let _ = world.run(&format!("image set gcr.io/myproject/job-wq-1 -- sh -c '{consume}'")).success();
    let applied = world.command("create -f -").stdin(RABBITMQ).run().success();
    assert_eq!(applied.stdout, "service/rabbitmq-service created\nstatefulset.apps/rabbitmq created\n");
    // A broker takes its time to start, the longer the less of the machine it has.
    let url = "amqp://guest:guest@rabbitmq-service:5672";
    let script = format!(
        "export BROKER_URL={url}
        until /usr/bin/amqp-declare-queue --url=$BROKER_URL -q foo -d; do sleep 0.2; done
        /usr/bin/amqp-publish --url=$BROKER_URL -r foo -p -b Hello
        test \"$(/usr/bin/amqp-consume --url=$BROKER_URL -q foo -c 1 cat)\" = Hello
        /usr/bin/amqp-declare-queue --url=$BROKER_URL -q job1 -d
        for f in apple banana cherry date fig grape lemon melon
        do
          /usr/bin/amqp-publish --url=$BROKER_URL -r job1 -p -b $f
        done"
    );
    temporary_pod(&world, "ubuntu:22.04", &script);
    assert_eq!(
        world.value("pod/rabbitmq-0", "{.spec.hostname}.{.spec.subdomain}"),
        "rabbitmq-0.rabbitmq-service"
    );
    let servers = ["beam.smp", "epmd"];
    for server in servers {
        assert_eq!(world.processes_named(server).len(), 1, "{server}");
    }

    world.command("apply -f -").stdin(RABBITMQ_JOB).run().is(0, "job.batch/job-wq-1 created\n", "");
    let waited = world.run("wait --for=condition=complete --timeout=60s job/job-wq-1");
    waited.prints("job.batch/job-wq-1 condition met\n");
    let logs = world.run("logs job/job-wq-1 --all-pods --prefix=false").success().stdout;
    let mut worked: Vec<&str> = logs.lines().filter_map(|line| line.strip_prefix("Processing ")).collect();
    worked.sort_unstable();
    assert_eq!(worked, ["apple", "banana", "cherry", "date", "fig", "grape", "lemon", "melon"]);
    assert_eq!(world.value("job/job-wq-1", "{.status.succeeded}{.status.failed}"), "8");

    // Erlang's port mapper makes itself a daemon: it goes with its pod all the same.
    let _ = world.run("delete statefulset rabbitmq").success();
    gone(&world, &servers);
    eventually(SOON, || {
        world.run("get pods -l app.kubernetes.io/name=task-queue -o name").success().stdout.is_empty()
    });
}

const PING: &str = r#"apiVersion: v1
kind: Service
metadata:
  name: headless-svc
spec:
  clusterIP: None # clusterIP must be None
  selector:
    job-name: example-job # must be the Job's name
---
apiVersion: batch/v1
kind: Job
metadata:
  name: example-job
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
  template:
    spec:
      subdomain: headless-svc # must be the Service's name
      restartPolicy: Never
      containers:
      - name: example-workload
        image: bash:latest
        command:
        - bash
        - -c
        - |
          for i in 0 1 2
          do
            gotStatus="-1"
            wantStatus="0"
            while [ $gotStatus -ne $wantStatus ]
            do
              ping -c 1 example-job-${i}.headless-svc > /dev/null 2>&1
              gotStatus=$?
              if [ $gotStatus -ne $wantStatus ]; then
                echo "Failed to ping pod example-job-${i}.headless-svc,retrying in 1 second..."
                sleep 1
              fi
            done
            echo "Successfully pinged pod: example-job-${i}.headless-svc"
          done
"#;

#[test]
fn pods_of_an_indexed_job_ping_each_other() {
    let Some(_ports) = ready(&["ping", "bash"], &[]) else { return };
    if !is_root() {
        eprintln!("skipped: in the sandbox of an ordinary user ping has no right to send");
        return;
    }
    let world = World::new();
    let applied = world.command("apply -f -").stdin(PING).run();
    applied.is(0, "service/headless-svc created\njob.batch/example-job created\n", "");
    // The tutorial has a race, here as on a cluster: a pod that has pinged all others ends, and whoever is so late that he has
    // not pinged it yet never finds it again, once its name is forgotten.
    let is_complete = || world.run("wait --for=condition=complete --timeout=15s job/example-job").code == 0;
    let has_pinged = (0..4).any(|_| {
        is_complete() || {
            eprintln!("{}", world.run("logs job/example-job --all-pods --tail=3").stdout);
            let _ = world.run("delete job example-job").success();
            let _ = world.command("apply -f -").stdin(PING).run().success();
            false
        }
    });
    assert!(has_pinged, "four times");
    let logs = world.run("logs job/example-job --all-pods --prefix=false").success().stdout;
    for index in 0..3 {
        let told = format!("Successfully pinged pod: example-job-{index}.headless-svc");
        assert_eq!(logs.lines().filter(|line| *line == told).count(), 3, "{logs}");
    }
}
