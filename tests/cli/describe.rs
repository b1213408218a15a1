//! `describe`.

use crate::common::{World, job};

#[test]
fn a_finished_job_is_described_with_its_events() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: hi}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [echo, hello]}]}}}
";
    let _ = world.apply(manifest);
    world.wait_for_end("hi");
    world.run("describe job hi").prints(
        "
        Name:             hi
        Namespace:        default
        Selector:         batch.kubernetes.io/controller-uid=00000000-0000-0000-0000-000000000000
        Labels:           batch.kubernetes.io/controller-uid=00000000-0000-0000-0000-000000000000
                          batch.kubernetes.io/job-name=hi
                          controller-uid=00000000-0000-0000-0000-000000000000
                          job-name=hi
        Annotations:      jobctl.local/path: /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
                          jobctl.local/session: {\"HOME\":\"WORLD/home\"}
                          jobctl.local/umask: 0022
                          jobctl.local/working-directory: WORK
        Parallelism:      1
        Completions:      1
        Completion Mode:  NonIndexed
        Suspend:          false
        Backoff Limit:    6
        Start Time:       Thu, 01 Jan 2026 00:00:00 +0000
        Completed At:     Thu, 01 Jan 2026 00:00:00 +0000
        Duration:         0s
        Pods Statuses:    0 Active (0 Ready) / 1 Succeeded / 0 Failed
        Pod Template:
          Labels:  batch.kubernetes.io/controller-uid=00000000-0000-0000-0000-000000000000
                   batch.kubernetes.io/job-name=hi
                   controller-uid=00000000-0000-0000-0000-000000000000
                   job-name=hi
          Containers:
           c:
            Image:      busybox
            Port:       <none>
            Host Port:  <none>
            Command:
              echo
              hello
            Environment:   <none>
            Mounts:        <none>
          Volumes:         <none>
          Node-Selectors:  <none>
          Tolerations:     <none>
        Events:
          Type    Reason            Age   From            Message
          ----    ------            ----  ----            -------
          Normal  SuccessfulCreate  0s    job-controller  Created pod: hi-xxxxx
          Normal  Completed         0s    job-controller  Job completed
        ",
    );
    let pod = world.run("describe pod").success();
    let text = pod.normal_stdout();
    for part in [
        "Name:             hi-xxxxx\nNamespace:        default\nPriority:         0\nService Account:  default\n",
        "Node:             node1/127.0.0.1\n",
        "Status:           Succeeded\n",
        "Controlled By:  Job/hi\n",
        "    State:          Terminated\n      Reason:       Completed\n      Exit Code:    0\n",
        "  Normal  Scheduled  0s    default-scheduler  Successfully assigned default/hi-xxxxx to node1\n",
        "  Normal  Started    0s    kubelet            Started container c\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    let by_slash = world.run("describe job/hi").success();
    assert!(by_slash.stdout.starts_with("Name:             hi\n"));
}

#[test]
fn a_failed_job_is_described_with_the_reason() {
    let world = World::new();
    let _ = world.apply(&job("bad", "backoffLimit: 0", "exit 7"));
    world.wait_for_end("bad");
    let text = world.run("describe job bad").success().normal_stdout();
    let expected = "  Warning  BackoffLimitExceeded  0s    job-controller  Job has reached the specified backoff limit\n";
    assert!(text.ends_with(expected), "{text}");
    assert!(text.contains("Pods Statuses:    0 Active (0 Ready) / 0 Succeeded / 1 Failed\n"), "{text}");
    assert!(!text.contains("Completed At:"), "{text}");
    let pod = world.run("describe pod").success().normal_stdout();
    assert!(pod.contains("      Reason:       Error\n      Exit Code:    7\n"), "{pod}");
}

#[test]
fn several_jobs_are_described_one_after_another() {
    let world = World::new();
    let _ = world.apply(&job("a", "suspend: true", "true"));
    let _ = world.apply(&job("b", "suspend: true", "true"));
    let text = world.run("describe jobs").success().stdout;
    let names: Vec<&str> = text.lines().filter(|line| line.starts_with("Name: ")).collect();
    assert_eq!(names, ["Name:             a", "Name:             b"]);
    assert!(text.contains("\n\n\nName:"), "two empty lines between: {text}");
    world
        .run("describe job nope")
        .fails_with("Error from server (NotFound): jobs.batch \"nope\" not found\n");
    world.run("describe jobs -n other").is(0, "", "No resources found in other namespace.\n");
}

#[test]
fn the_events_of_a_job_of_many_pods_are_combined() {
    let world = World::without_background();
    let _ = world.run("cordon node1").success();
    let _ = world.apply(&job("many", "completions: 300\nparallelism: 300", "true"));
    let described = world.run("describe job many").success().stdout;
    let created: Vec<&str> = described.lines().filter(|line| line.contains("SuccessfulCreate")).collect();
    assert_eq!(created.len(), 10, "{described}");
    assert!(created[9].contains("(x291 over "), "{}", created[9]);
    assert!(created[9].contains("(combined from similar events): Created pod: many-"), "{}", created[9]);
}
