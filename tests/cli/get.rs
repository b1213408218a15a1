//! `get`.

use std::io::{BufRead as _, BufReader};

use crate::common::{SOON, World, eventually, job, kill, normalize};

/// Two finished Jobs with labels, one good and one bad.
fn two_jobs() -> World {
    let world = World::new();
    let labelled = |name: &str, tier: &str, script: &str| {
        job(name, "backoffLimit: 0", script)
            .replace("metadata:\n", &format!("metadata:\n  labels: {{tier: {tier}, app: demo}}\n"))
    };
    let _ = world.apply(&labelled("good", "front", "echo hello"));
    let _ = world.apply(&labelled("bad", "back", "exit 3"));
    world.wait_for_end("good");
    world.wait_for_end("bad");
    world
}

#[test]
fn nothing_found_is_said_on_stderr_and_is_no_error() {
    let world = World::new();
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    world.run("get jobs -n other").is(0, "", "No resources found in other namespace.\n");
    world.run("get all -A").is(0, "", "No resources found\n");
    world.run("get pods -o name").is(0, "", "");
    world.run("get jobs -o yaml").prints(
        "
        apiVersion: v1
        items: []
        kind: List
        metadata:
          resourceVersion: \"\"
        ",
    );
    world.run("get job nope").fails_with("Error from server (NotFound): jobs.batch \"nope\" not found\n");
    world.run("get pod nope").fails_with("Error from server (NotFound): pods \"nope\" not found\n");
    world.run("get job nope --ignore-not-found").is(0, "", "");
}

#[test]
fn finished_jobs_and_their_pods_are_shown_as_kubectl_shows_them() {
    let world = two_jobs();
    world.run("get jobs").prints(
        "
        NAME   STATUS     COMPLETIONS   DURATION   AGE
        bad    Failed     0/1           0s         0s
        good   Complete   1/1           0s         0s
        ",
    );
    world.run("get job good").prints(
        "
        NAME   STATUS     COMPLETIONS   DURATION   AGE
        good   Complete   1/1           0s         0s
        ",
    );
    world.run("get pods").prints(
        "
        NAME         READY   STATUS      RESTARTS   AGE
        bad-xxxxx    0/1     Error       0          0s
        good-xxxxx   0/1     Completed   0          0s
        ",
    );
    world.run("get all").prints(
        "
        NAME             READY   STATUS      RESTARTS   AGE
        pod/bad-xxxxx    0/1     Error       0          0s
        pod/good-xxxxx   0/1     Completed   0          0s

        NAME             STATUS     COMPLETIONS   DURATION   AGE
        job.batch/bad    Failed     0/1           0s         0s
        job.batch/good   Complete   1/1           0s         0s
        ",
    );
    world.run("get jobs -A").prints(
        "
        NAMESPACE   NAME   STATUS     COMPLETIONS   DURATION   AGE
        default     bad    Failed     0/1           0s         0s
        default     good   Complete   1/1           0s         0s
        ",
    );
    world.run("get pods -o wide -l tier=front --no-headers").is(
        0,
        "",
        "No resources found in default namespace.\n",
    );
    // The pod's address is its own.
    let address = world.value("pods -l job-name=good", "{.items[0].status.podIP}");
    assert!(address.starts_with("127."), "{address}");
    world.run("get pods -o wide -l job-name=good").prints(&format!(
        "
        NAME         READY   STATUS      RESTARTS   AGE   {:width$}   NODE    NOMINATED NODE   READINESS GATES
        good-xxxxx   0/1     Completed   0          0s    {address}   node1   <none>           <none>
        ",
        "IP",
        width = address.len()
    ));
}

#[test]
fn the_old_flag_of_tutorials_is_accepted() {
    let world = two_jobs();
    let expected = "
        NAME         READY   STATUS      RESTARTS   AGE
        bad-xxxxx    0/1     Error       0          0s
        good-xxxxx   0/1     Completed   0          0s
        ";
    world.run("get pods -a").prints(expected);
    world.run("get pods --show-all").prints(expected);
    world.run("get po --show-all=true").prints(expected);
}

#[test]
fn kinds_names_and_lists_of_both_are_understood() {
    let world = two_jobs();
    let expected = "job.batch/good\n";
    for line in [
        "get job good -o name",
        "get jobs good -o name",
        "get job/good -o name",
        "get jobs.batch good -o name",
        "get jobs.v1.batch/good -o name",
        "get Job good -o name",
        "get jobs -l tier=front -o name",
        "get jobs --field-selector metadata.name=good -o name",
        "get jobs --field-selector status.successful=1 -o name",
    ] {
        world.run(line).prints(expected);
    }
    world.run("get job good bad -o name").prints("job.batch/good\njob.batch/bad\n");
    world.run("get job/good job/bad -o name").prints("job.batch/good\njob.batch/bad\n");
    let both = world.run("get pods,jobs -o name").success();
    assert_eq!(both.lines().len(), 4);
    world.run("get job good nope -o name").is(
        1,
        "job.batch/good\n",
        "Error from server (NotFound): jobs.batch \"nope\" not found\n",
    );
}

#[test]
fn selectors_choose_by_label() {
    let world = two_jobs();
    for (selector, expected) in [
        ("tier=front", "job.batch/good\n"),
        ("tier==front", "job.batch/good\n"),
        ("tier!=front", "job.batch/bad\n"),
        ("'tier in (front, back)'", "job.batch/bad\njob.batch/good\n"),
        ("'tier notin (back)'", "job.batch/good\n"),
        ("'app,tier=back'", "job.batch/bad\n"),
        ("'!tier'", ""),
    ] {
        let output = world.run(&format!("get jobs -o name -l {selector}")).success();
        assert_eq!(output.stdout, expected, "{selector}");
    }
}

#[test]
fn labels_can_be_shown() {
    let world = World::new();
    let manifest =
        job("one", "suspend: true", "true").replace("metadata:\n", "metadata:\n  labels: {b: x, a: z}\n");
    let _ = world.apply(&manifest);
    world.run("get jobs --show-labels").prints(
        "
        NAME   STATUS      COMPLETIONS   DURATION   AGE   LABELS
        one    Suspended   0/1                      0s    a=z,b=x
        ",
    );
    world.run("get jobs --no-headers").prints("one   Suspended   0/1         0s\n");
}

#[test]
fn wide_jobs_show_containers_images_and_selector() {
    let world = World::new();
    let manifest =
        job("one", "suspend: true", "true").replace("name: main", "name: main\n        image: perl");
    let _ = world.apply(&manifest);
    world.run("get jobs -o wide").prints(
        "
        NAME   STATUS      COMPLETIONS   DURATION   AGE   CONTAINERS   IMAGES   SELECTOR
        one    Suspended   0/1                      0s    main         perl     \
         batch.kubernetes.io/controller-uid=00000000-0000-0000-0000-000000000000
        ",
    );
}

#[test]
fn jsonpath_and_json_print_what_is_stored() {
    let world = two_jobs();
    world.run("get job good -o jsonpath={.status.succeeded}").prints("1");
    world
        .run("get jobs -o 'jsonpath={range .items[*]}{.metadata.name}={.status.succeeded};{end}'")
        .prints("bad=;good=1;");
    world
        .run("get job good -o jsonpath")
        .fails_with("error: template format specified but no template given\n");
    let json = world.run("get job good -o json").success();
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value["status"]["succeeded"], 1);
    assert!(
        json.stdout.starts_with("{\n    \"apiVersion\": \"batch/v1\",\n"),
        "four spaces: {}",
        json.stdout
    );
    let list: serde_json::Value =
        serde_json::from_str(&world.run("get jobs -o json").success().stdout).expect("JSON");
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_job_is_printed_as_yaml_with_every_default() {
    let world = World::new();
    let manifest = "
apiVersion: batch/v1
kind: Job
metadata: {name: one}
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: perl, command: [\"true\"]}]}}}
";
    let _ = world.apply(manifest);
    let yaml = world.run("get job one -o yaml").success().normal_stdout();
    let spec = &yaml[yaml.find("spec:\n").expect("a spec")..];
    assert_eq!(
        spec,
        crate::common::unindent(
            r#"
            spec:
              backoffLimit: 6
              completionMode: NonIndexed
              completions: 1
              manualSelector: false
              parallelism: 1
              podReplacementPolicy: TerminatingOrFailed
              selector:
                matchLabels:
                  batch.kubernetes.io/controller-uid: 00000000-0000-0000-0000-000000000000
              suspend: true
              template:
                metadata:
                  labels:
                    batch.kubernetes.io/controller-uid: 00000000-0000-0000-0000-000000000000
                    batch.kubernetes.io/job-name: one
                    controller-uid: 00000000-0000-0000-0000-000000000000
                    job-name: one
                spec:
                  containers:
                  - command:
                    - "true"
                    image: perl
                    imagePullPolicy: Always
                    name: c
                    resources: {}
                    terminationMessagePath: /dev/termination-log
                    terminationMessagePolicy: File
                  dnsPolicy: ClusterFirst
                  restartPolicy: Never
                  schedulerName: default-scheduler
                  securityContext: {}
                  terminationGracePeriodSeconds: 30
            status:
              conditions:
              - lastProbeTime: "2026-01-01T00:00:00Z"
                lastTransitionTime: "2026-01-01T00:00:00Z"
                message: Job suspended
                reason: JobSuspended
                status: "True"
                type: Suspended
              ready: 0
              terminating: 0
              uncountedTerminatedPods: {}
            "#
        )
    );
}

#[test]
fn events_tell_what_has_happened() {
    let world = World::new();
    let _ = world.apply(&job("hi", "", "true"));
    world.wait_for_end("hi");
    let events = world.run("get events --field-selector involvedObject.kind=Job").success();
    assert_eq!(
        events.normal_stdout(),
        crate::common::unindent(
            "
            LAST SEEN   TYPE     REASON             OBJECT   MESSAGE
            0s          Normal   SuccessfulCreate   job/hi   Created pod: hi-xxxxx
            0s          Normal   Completed          job/hi   Job completed
            "
        )
    );
}

#[test]
fn watching_prints_each_change_as_it_comes() {
    let world = World::new();
    let _ = world.apply(&job("hi", "suspend: true", "true"));
    let mut child = world.command("get jobs -w -o name").spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "job.batch/hi");
    let _ = world.apply(&job("two", "suspend: true", "true"));
    assert_eq!(lines.next().expect("a line").expect("text"), "job.batch/two");
    kill(child.id() as i32, nix::sys::signal::Signal::SIGINT);
    child.wait().expect("wait");
    let mut child = world.command("get jobs -w").spawn();
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut lines = lines.map(|line| normalize(&line.expect("text")));
    assert_eq!(lines.next().expect("a line"), "NAME   STATUS      COMPLETIONS   DURATION   AGE");
    assert_eq!(lines.next().expect("a line"), "hi     Suspended   0/1                      0s");
    assert_eq!(lines.next().expect("a line"), "two    Suspended   0/1                      0s");
    let _ = world.command("apply -f -").stdin(job("two", "suspend: false", "true")).run().success();
    let mut seen = Vec::new();
    for line in lines.by_ref() {
        let end = line.contains("Complete");
        seen.push(line);
        if end {
            break;
        }
    }
    assert!(seen.iter().any(|line| line.starts_with("two    Running     0/1")), "{seen:?}");
    assert!(seen.last().is_some_and(|line| line.starts_with("two    Complete    1/1")), "{seen:?}");
    kill(child.id() as i32, nix::sys::signal::Signal::SIGINT);
    child.wait().expect("wait");
}

#[test]
fn a_wrong_command_line_is_told_in_kubectls_words() {
    let world = World::new();
    world.run("get foo").fails_with("error: the server doesn't have a resource type \"foo\"\n");
    world.run("get job x -l a=b").fails_with("error: name cannot be provided when a selector is specified\n");
    world
        .run("get job x -A")
        .fails_with("error: a resource cannot be retrieved by name across all namespaces\n");
    world
        .run("get jobs --frob")
        .fails_with("error: unknown flag: --frob\nSee 'jobctl get --help' for usage.\n");
    let frob = world.run("get jobs -o frob").failure();
    let expected =
        "error: unable to match a printer suitable for the output format \"frob\", allowed formats are: ";
    assert!(frob.stderr.starts_with(expected), "{}", frob.stderr);
    let unknown = world.run("frob").failure();
    assert!(
        unknown.stderr.starts_with("error: unknown command \"frob\" for \"jobctl\""),
        "{}",
        unknown.stderr
    );
    let none = world.run("get").failure();
    assert!(none.stderr.contains("You must specify the type of resource to get."), "{}", none.stderr);
}

#[test]
fn namespaces_keep_objects_apart() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    // On a cluster a namespace must be there; here it comes with the first object, which is said, for it may be misspelt.
    for name in ["a", "b"] {
        let note = format!("Warning: namespace {name:?} did not exist and is created\n");
        world.run(&format!("apply -f {path} -n {name}")).is(0, "job.batch/one created\n", &note);
    }
    world.run("get namespaces -o name").prints("namespace/a\nnamespace/b\nnamespace/default\n");
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    world
        .run("get jobs -A --no-headers")
        .prints("a     one   Suspended   0/1         0s\nb     one   Suspended   0/1         0s\n");
    world.run("delete job one -n a").prints("job.batch \"one\" deleted\n");
    world.run("get jobs -n b -o name").prints("job.batch/one\n");
    let own = job("own", "", "true").replace("metadata:\n", "metadata:\n  namespace: c\n");
    world.command("apply -f - -n d").stdin(own).run().fails_with(
        "error: the namespace from the provided object \"c\" does not match the namespace \"d\". You must pass \
         '--namespace=c' to perform this operation.\n",
    );
}

#[test]
fn kinds_and_versions_are_listed() {
    let world = World::new();
    world.run("api-versions").prints(
        "
        apps/v1
        batch/v1
        discovery.k8s.io/v1
        networking.k8s.io/v1
        rbac.authorization.k8s.io/v1
        scheduling.k8s.io/v1
        v1
        ",
    );
    world.run("api-resources").prints(
        "
        NAME                     SHORTNAMES   APIVERSION                     NAMESPACED   KIND
        configmaps               cm           v1                             true         ConfigMap
        endpoints                ep           v1                             true         Endpoints
        events                   ev           v1                             true         Event
        limitranges              limits       v1                             true         LimitRange
        namespaces               ns           v1                             false        Namespace
        nodes                    no           v1                             false        Node
        persistentvolumeclaims   pvc          v1                             true         PersistentVolumeClaim
        pods                     po           v1                             true         Pod
        resourcequotas           quota        v1                             true         ResourceQuota
        secrets                               v1                             true         Secret
        serviceaccounts          sa           v1                             true         ServiceAccount
        services                 svc          v1                             true         Service
        controllerrevisions                   apps/v1                        true         ControllerRevision
        statefulsets             sts          apps/v1                        true         StatefulSet
        cronjobs                 cj           batch/v1                       true         CronJob
        jobs                                  batch/v1                       true         Job
        endpointslices                        discovery.k8s.io/v1            true         EndpointSlice
        networkpolicies          netpol       networking.k8s.io/v1           true         NetworkPolicy
        clusterrolebindings                   rbac.authorization.k8s.io/v1   false        ClusterRoleBinding
        clusterroles                          rbac.authorization.k8s.io/v1   false        ClusterRole
        rolebindings                          rbac.authorization.k8s.io/v1   true         RoleBinding
        roles                                 rbac.authorization.k8s.io/v1   true         Role
        priorityclasses          pc           scheduling.k8s.io/v1           false        PriorityClass
        ",
    );
    let version = world.run("version").success();
    assert!(version.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", version.stdout);
}

#[test]
fn a_list_from_the_stores_listing_says_what_the_whole_pods_say() {
    let world = two_jobs();
    // Pods of 200 KB each, so that the journal is long enough to be folded into a snapshot.
    let long = format!("  template:\n    metadata: {{annotations: {{note: {}}}}}\n", "x".repeat(200_000));
    for name in ["long-a", "long-b"] {
        let manifest = job(name, "backoffLimit: 0", "exit 7").replace("  template:\n", &long);
        let _ = world.command("create -f -").stdin(manifest).run().success();
        world.wait_for_end(name);
    }
    let listing = world.store().join("current/pods.listing.jsonl");
    eventually(SOON, || listing.exists());
    // What is newer than the snapshot is read from the journal.
    let _ = world.apply(&job("late", "backoffLimit: 0", "exit 1"));
    world.wait_for_end("late");
    let _ = world.run("label pod -l job-name=long-b new=label").success();
    for form in
        ["", "-o wide", "--show-labels", "-L job-name,new", "-l job-name=long-a", "-l new", "-A", "-o name"]
    {
        let listed = world.run(&format!("get pods {form}")).success();
        // Sorting and selecting by fields need the whole pods.
        let whole = world.run(&format!("get pods {form} --field-selector status.podIP!=x")).success();
        assert_eq!(listed.normal_stdout(), whole.normal_stdout(), "get pods {form}");
        assert!(listed.stdout.contains("long-") && !listed.stdout.contains("xxxxxx"), "get pods {form}");
    }
}

#[test]
fn names_are_sorted_too() {
    let world = World::new();
    for (name, backoff_limit) in [("aa", 3), ("mm", 1), ("zz", 2)] {
        let _ = world.apply(&job(name, &format!("suspend: true\nbackoffLimit: {backoff_limit}"), "true"));
    }
    let sorted = world.run("get jobs --sort-by=.spec.backoffLimit -o name");
    sorted.prints("job.batch/mm\njob.batch/zz\njob.batch/aa\n");
    world
        .run("get jobs --sort-by=.spec.nothing -o name")
        .fails_with("error: couldn't find any field with path \"{.spec.nothing}\" in the list of objects\n");
}

#[test]
fn watch_events_need_a_watch() {
    let world = World::new();
    for line in ["get jobs --output-watch-events", "get jobs --output-watch-events -o json --watch=false"] {
        world.run(line).fails_with(
            "error: --output-watch-events option can only be used with --watch or --watch-only\n",
        );
    }
}

#[test]
fn failed_pods_are_found_by_one_flag() {
    let world = World::new();
    for (name, script) in [("good", "true"), ("bad", "exit 3"), ("worse", "exit 4")] {
        let _ = world.apply(&job(name, "backoffLimit: 0", script));
        world.wait_for_end(name);
    }
    let names = |line: &str| {
        let listed = world.run(&format!("get pods --failed -o name {line}")).success();
        let short = |line: &&str| line.rsplit_once('-').unwrap_or_default().0.to_owned();
        listed.lines().iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["pod/bad", "pod/worse"]);
    assert_eq!(names("-l job-name=worse"), ["pod/worse"]);
    assert_eq!(names("-l job-name=bad --field-selector=status.phase!=Running -A"), ["pod/bad"]);
    world.run("get pods --failed -l job-name=good").is(0, "", "No resources found in default namespace.\n");
    world.run("get jobs --failed").fails_with("error: --failed is for pods: jobctl get pods --failed\n");
}

#[test]
fn what_took_less_than_a_second_is_shown_in_milliseconds() {
    let world = World::new();
    let _ = world.apply(&job("short", "", "true"));
    let _ = world.apply(&job("long", "", "sleep 1.1"));
    world.wait_for_end("short");
    world.wait_for_end("long");
    let milliseconds = |text: &str| text.strip_suffix("ms").and_then(|text| text.parse::<u16>().ok());
    for flags in ["", "-o wide", "--sort-by=.metadata.name"] {
        let listed = world.run(&format!("get jobs --no-headers {flags}")).success();
        let duration = |line: &str| line.split_whitespace().nth(3).map(str::to_owned).unwrap_or_default();
        let durations: Vec<String> = listed.lines().into_iter().map(duration).collect();
        assert!(["1s", "2s"].contains(&&*durations[0]), "{}", listed.stdout);
        assert!(milliseconds(&durations[1]).is_some(), "{}", listed.stdout);
    }
    let described = world.run("describe job short").success();
    let duration = described.lines().into_iter().find_map(|line| line.strip_prefix("Duration:"));
    assert!(milliseconds(duration.unwrap_or_default().trim()).is_some(), "{}", described.stdout);
    // Another Job of that name is another Job.
    let _ = world.run("rerun job/short").success();
    world.wait_for_end("short");
    assert!(world.run("get job short").success().stdout.contains("ms "));
}

#[test]
fn running_containers_show_their_processes() {
    let world = World::new();
    let several = "
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers:
  - {name: a, command: [sleep, '1000']}
  - {name: b, command: [sleep, '1001']}
";
    let _ = world.apply(&job("done", "", "true"));
    world.wait_for_end("done");
    let headers = || world.run("get pods -o wide").success().lines()[0].to_owned();
    assert!(headers().ends_with("READINESS GATES"));
    let _ = world.apply(several);
    world.wait_for_value("pod two", "{.status.phase}", "Running");
    let mut sleeping = world.processes_named("sleep");
    sleeping.sort_unstable();
    assert!(headers().ends_with("READINESS GATES   PID"));
    let listed = world.run("get pods -o wide --no-headers").success();
    let last = |line: &str| line.split_whitespace().last().unwrap_or_default().to_owned();
    let cells: Vec<String> = listed.lines().into_iter().map(last).collect();
    let mut pids: Vec<i32> = cells[1].split(',').map(|pid| pid.parse().expect("a pid")).collect();
    let described = world.run("describe pod two").success();
    let lines: Vec<_> =
        described.lines().into_iter().filter_map(|line| line.trim().strip_prefix("PID:")).collect();
    assert_eq!(
        lines.iter().map(|pid| pid.trim()).collect::<Vec<_>>(),
        cells[1].split(',').collect::<Vec<_>>()
    );
    pids.sort_unstable();
    assert_eq!((cells[0].as_str(), pids), ("<none>", sleeping));
    let _ = world.run("delete pod two --grace-period=0 --force").success();
}
