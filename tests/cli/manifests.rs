//! Reading manifests: files, directories, streams, and what kubectl makes of them.

use crate::common::{World, job};

const LINE: &str = "true";

fn suspended(name: &str) -> String {
    job(name, "suspend: true", LINE)
}

#[test]
fn a_directory_is_read_in_order_and_below_only_with_r() {
    let world = World::new();
    world.manifest("dir/b.yml", suspended("b"));
    world.manifest("dir/a.yaml", suspended("a"));
    world.manifest("dir/c.json", r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"c"},"spec":{"suspend":true,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"x","command":["true"]}]}}}}"#);
    world.manifest("dir/notes.txt", "not a manifest");
    world.manifest("dir/below/d.yaml", suspended("d"));
    world.run("apply -f dir").prints("job.batch/a created\njob.batch/b created\njob.batch/c created\n");
    let below = world.run("apply -R -f dir").success();
    let mut lines = below.lines();
    lines.sort_unstable();
    let expected =
        ["job.batch/a unchanged", "job.batch/b unchanged", "job.batch/c unchanged", "job.batch/d created"];
    assert_eq!(lines, expected);
    world.manifest("empty/notes.txt", "");
    world
        .run("apply -f empty")
        .fails_with("error: error reading [empty]: recognized file extensions are [.json .yaml .yml]\n");
}

#[test]
fn standard_input_and_several_files_are_read() {
    let world = World::new();
    let a = world.manifest("a.yaml", suspended("a"));
    let b = world.manifest("b.yaml", suspended("b"));
    world
        .command(&format!("apply -f {a} -f {b} -f -"))
        .stdin(suspended("c"))
        .run()
        .prints("job.batch/a created\njob.batch/b created\njob.batch/c created\n");
    world.run(&format!("apply -f {a},{b}")).prints("job.batch/a unchanged\njob.batch/b unchanged\n");
}

#[test]
fn a_stream_may_hold_empty_documents_comments_anchors_crlf_and_a_bom() {
    let world = World::new();
    let text = "\u{feff}# the first\n---\n---\n# only a comment\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: a, \
                labels: &labels {app: demo}}\nspec:\n  suspend: true\n  template:\n    metadata: {labels: *labels}\n    \
                spec:\n      restartPolicy: Never\n      containers: [{name: c, command: [\"true\"]}]\n---\n"
        .replace('\n', "\r\n");
    world.command("apply -f -").stdin(text).run().prints("job.batch/a created\n");
    assert_eq!(world.value("job a", "{.spec.template.metadata.labels.app}"), "demo");
}

#[test]
fn a_list_is_its_items() {
    let world = World::new();
    let list = r#"{"apiVersion":"v1","kind":"List","items":[
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a"},"spec":{"suspend":true,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"x","command":["true"]}]}}}},
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"b"},"spec":{"suspend":true,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"x","command":["true"]}]}}}}]}"#;
    world.command("apply -f -").stdin(list).run().prints("job.batch/a created\njob.batch/b created\n");
}

#[test]
fn kyaml_is_read() {
    let world = World::new();
    let text = r#"---
{
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: {
    name: "k", # a comment
  },
  spec: {
    suspend: true,
    template: {
      spec: {
        restartPolicy: "Never",
        containers: [{
          name: "c",
          command: ["echo", "hello"],
        }],
      },
    },
  },
}
"#;
    world.command("apply -f -").stdin(text).run().prints("job.batch/k created\n");
}

#[test]
fn yaml_means_what_it_means_to_kubectl() {
    let world = World::new();
    let text = "
apiVersion: batch/v1
kind: Job
metadata: {name: octal}
spec:
  suspend: yes
  backoffLimit: 014
  template: {spec: {restartPolicy: Never, containers: [{name: c, command: [\"true\"]}]}}
";
    let _ = world.apply(text);
    assert_eq!(world.value("job octal", "'{.spec.suspend} {.spec.backoffLimit}'"), "true 12");
}

#[test]
fn good_documents_go_in_around_a_bad_one_and_the_exit_code_is_one() {
    let world = World::new();
    let bad = "apiVersion: batch/v1\nkind: Jobz\nmetadata: {name: z}\n";
    let text = format!("{}---\n{bad}---\n{}", suspended("a"), suspended("b"));
    let path = world.manifest("mixed.yaml", text);
    world.run(&format!("apply -f {path}")).is(
        1,
        "job.batch/a created\njob.batch/b created\n",
        "error: resource mapping not found for name: \"z\" namespace: \"\" from \"mixed.yaml\": no matches for kind \
         \"Jobz\" in version \"batch/v1\"\nensure CRDs are installed first\n",
    );
    let text = format!(
        "{}---\n{}---\n{}",
        suspended("c"),
        suspended("d").replace("suspend", "suspended"),
        suspended("e")
    );
    let path = world.manifest("mixed.yaml", text);
    world.run(&format!("apply -f {path}")).is(
        1,
        "job.batch/c created\njob.batch/e created\n",
        "Error from server (BadRequest): error when creating \"mixed.yaml\": Job in version \"v1\" cannot be handled as \
         a Job: strict decoding error: unknown field \"spec.suspended\"\n",
    );
}

#[test]
fn unknown_fields_are_errors_warnings_or_nothing_as_asked() {
    let world = World::new();
    let typo = suspended("typo").replace("        command:", "        comand: [x]\n        command:");
    let path = world.manifest("typo.yaml", typo);
    world.run(&format!("apply -f {path}")).fails_with(
        "Error from server (BadRequest): error when creating \"typo.yaml\": Job in version \"v1\" cannot be handled as \
         a Job: strict decoding error: unknown field \"spec.template.spec.containers[0].comand\"\n",
    );
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    world.run(&format!("apply -f {path} --validate=warn --dry-run=server")).is(
        0,
        "job.batch/typo created (server dry run)\n",
        "Warning: unknown field \"spec.template.spec.containers[0].comand\"\n",
    );
    world.run(&format!("apply -f {path} --validate=ignore")).prints("job.batch/typo created\n");
    let output = world.run(&format!("apply -f {path} --validate=perhaps")).failure();
    assert!(output.stderr.contains("perhaps"), "{}", output.stderr);
}

#[test]
fn nothing_is_read_of_a_file_after_what_cannot_be_parsed() {
    let world = World::new();
    let broken = format!("{}---\nkind: Job\n  metadata: x\n---\n{}", suspended("first"), suspended("third"));
    let line = broken.lines().position(|line| line == "  metadata: x").expect("a line") + 1;
    world.manifest("all/broken.yaml", broken);
    world.manifest("all/other.yaml", suspended("other"));
    world.run("create -f all").is(
        1,
        "job.batch/first created\njob.batch/other created\n",
        &format!(
            "error: error parsing all/broken.yaml: error converting YAML to JSON: yaml: line {line}: mapping values are \
             not allowed in this context\n"
        ),
    );
}

#[test]
fn several_errors_are_lines_that_each_say_what_was_being_done() {
    let world = World::new();
    let bad = |name: &str| {
        suspended(name).replace("suspend: true", "suspend: true\n  parallelism: -1\n  completions: -1")
    };
    let path = world.manifest("bad.yaml", bad("a"));
    world.run(&format!("create -f {path}")).fails_with(
        "The Job \"a\" is invalid: \n* spec.parallelism: Invalid value: -1: must be greater than or equal to 0\n* \
         spec.completions: Invalid value: -1: must be greater than or equal to 0\n",
    );
    let path = world
        .manifest("bad.yaml", format!("{}---\n{}---\nkind: X\napiVersion: y/v1\n", bad("a"), suspended("B")));
    world.run(&format!("create -f {path}")).fails_with(
        "Error from server (Invalid): error when creating \"bad.yaml\": Job.batch \"a\" is invalid: [spec.parallelism: \
         Invalid value: -1: must be greater than or equal to 0, spec.completions: Invalid value: -1: must be greater than \
         or equal to 0]\nError from server (Invalid): error when creating \"bad.yaml\": Job.batch \"B\" is invalid: \
         metadata.name: Invalid value: \"B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
         characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
         validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\nresource mapping not found for \
         name: \"\" namespace: \"\" from \"bad.yaml\": no matches for kind \"X\" in version \"y/v1\"\nensure CRDs are \
         installed first\n",
    );
}

#[test]
fn a_kind_that_is_not_here_is_told_from_one_that_is_nowhere() {
    let world = World::new();
    for (version, kind, hint) in [
        (
            "v1",
            "PodTemplate",
            "PodTemplate is a kind of Kubernetes that this version of jobctl does not have",
        ),
        (
            "apps/v1",
            "Deployment",
            "Deployment is a kind of Kubernetes that this version of jobctl does not have",
        ),
        (
            "networking.k8s.io/v1",
            "Ingress",
            "Ingress is a kind of Kubernetes that this version of jobctl does not have",
        ),
        ("v1", "Event", "Events are recorded, they cannot be submitted"),
        ("batch/v1", "job", "the kind is written Job"),
        ("argoproj.io/v1alpha1", "Workflow", "ensure CRDs are installed first"),
    ] {
        let path =
            world.manifest("k.yaml", format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n"));
        world.run(&format!("apply -f {path}")).fails_with(&format!(
            "error: resource mapping not found for name: \"x\" namespace: \"\" from \"k.yaml\": no matches for kind \
             \"{kind}\" in version \"{version}\"\n{hint}\n"
        ));
    }
    for (text, problems) in [
        ("metadata: {name: x}", "[apiVersion not set, kind not set]"),
        ("apiVersion: v1", "kind not set"),
        ("- a", "invalid object to validate"),
        ("apiVersion: a/b/c\nkind: Job", "unexpected GroupVersion string: a/b/c"),
    ] {
        let path = world.manifest("k.yaml", text);
        world.run(&format!("create -f {path}")).fails_with(&format!(
            "error: error validating \"k.yaml\": error validating data: {problems}; if you choose to ignore these errors, \
             turn validation off with --validate=false\n"
        ));
    }
}

#[test]
fn a_client_dry_run_without_validation_judges_nothing_but_metadata() {
    let world = World::new();
    let text = suspended("x").replace("suspend: true", "suspend: [1]\n  unknown: 1");
    let path = world.manifest("x.yaml", &text);
    world
        .run(&format!("create -f {path} --dry-run=client --validate=false"))
        .prints("job.batch/x created (dry run)\n");
    let _ = world.run(&format!("create -f {path} --dry-run=client")).failure();
    let path = world.manifest("x.yaml", text.replace("name: x", "labels: {a: [1]}"));
    world.run(&format!("create -f {path} --dry-run=client --validate=false")).fails_with(
        "error: unable to decode \"x.yaml\": json: cannot unmarshal array into Go struct field \
         ObjectMeta.metadata.labels of type string\n",
    );
    let generated = suspended("x").replace("name: x", "generateName: x-\n  managedFields: [{manager: me}]");
    let path = world.manifest("x.yaml", generated);
    for (output, expected) in
        [("name", "job.batch/<unknown>\n"), ("jsonpath={.metadata.managedFields[0].manager}", "me")]
    {
        let dry_run = format!("create -f {path} --dry-run=client --validate=false -o {output}");
        world.run(&dry_run).prints(expected);
    }
    let shown = world.run(&format!("create -f {path} --dry-run=client -o yaml")).success().stdout;
    assert!(!shown.contains("managedFields"), "{shown}");
}

#[test]
fn what_is_stored_is_what_a_server_stores() {
    let world = World::without_background();
    let _ = world.run("cordon node1").success();
    let manifest = job("x", "", "true").replace(
        "      containers:\n",
        "      hostNetwork: true\n      nodeSelector: {}\n      tolerations: []\n      containers:\n",
    );
    let manifest = manifest.replace(
        "        command:",
        "        args: []\n        env: [{name: A, value: \"\"}]\n        ports: [{containerPort: 80}]\n        resources: \
         {limits: {memory: 1024Mi, cpu: 0.5}}\n        command:",
    );
    let _ = world.apply(&manifest);
    for (path, expected) in [
        ("{.spec.template.spec.containers[0].resources.limits}", r#"{"cpu":"500m","memory":"1Gi"}"#),
        ("{.spec.template.spec.containers[0].env}", r#"[{"name":"A"}]"#),
        (
            "{.spec.template.spec.containers[0].args}{.spec.template.spec.nodeSelector}{.spec.template.spec.tolerations}",
            "",
        ),
        ("{.spec.template.spec.containers[0].ports}", r#"[{"containerPort":80,"protocol":"TCP"}]"#),
    ] {
        assert_eq!(world.value("job x", path), expected, "{path}");
    }
    let port = "{.items[0].spec.containers[0].ports[0].hostPort}";
    assert_eq!(world.value("pods", port), "80", "only the pod has the port of the machine");
}

/// A CronJob, with the version that its manifest has.
fn versioned_cron_job(version: &str, name: &str) -> String {
    format!(
        "apiVersion: batch/{version}\nkind: CronJob\nmetadata: {{name: {name}}}\nspec:\n  schedule: '0 0 1 1 *'\n  \
         jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: OnFailure, containers: [{{name: c, command: \
         [\"true\"]}}]}}}}}}}}\n---\n"
    )
}

#[test]
fn cron_jobs_of_old_tutorials_are_taken_with_one_warning() {
    const WARNING: &str = "Warning: batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob\n";
    let world = World::new();
    let old = ["a", "b"].map(|name| versioned_cron_job("v1beta1", name)).concat();
    let path = world.manifest("old.yaml", &old);
    world.run(&format!("create -f {path}")).is(
        0,
        "cronjob.batch/a created\ncronjob.batch/b created\n",
        WARNING,
    );
    assert_eq!(world.value("cronjob a", "{.apiVersion}"), "batch/v1");
    world.run(&format!("replace -f {path}")).is(
        0,
        "cronjob.batch/a replaced\ncronjob.batch/b replaced\n",
        WARNING,
    );
    let applied = world.manifest("applied.yaml", versioned_cron_job("v1beta1", "c"));
    world.run(&format!("apply -f {applied}")).is(0, "cronjob.batch/c created\n", WARNING);
    let now = world.manifest("now.yaml", versioned_cron_job("v1", "c"));
    world.run(&format!("apply -f {now}")).is(0, "cronjob.batch/c configured\n", "");
    let deleted = ["a", "b"].map(|name| format!("cronjob.batch \"{name}\" deleted\n")).concat();
    world.run(&format!("delete -f {path}")).is(0, &deleted, WARNING);
    world.run("delete cronjob c").prints("cronjob.batch \"c\" deleted\n");
}

#[test]
fn versions_that_no_cluster_has_any_more_are_refused() {
    let world = World::new();
    let job = job("hello", "suspend: true", "true").replace("batch/v1", "batch/v1beta1");
    let cron_job = versioned_cron_job("v2alpha1", "hello");
    for (kind, version, manifest) in [("Job", "v1beta1", job), ("CronJob", "v2alpha1", cron_job)] {
        let path = world.manifest("old.yml", manifest);
        world.run(&format!("apply -f {path}")).fails_with(&format!(
            "error: resource mapping not found for name: \"hello\" namespace: \"\" from \"old.yml\": no matches for \
             kind \"{kind}\" in version \"batch/{version}\"\nensure CRDs are installed first\n"
        ));
    }
}

#[test]
fn variables_of_resources_are_what_the_container_may_have() {
    let world = World::new();
    let env = r#"resources: {limits: {cpu: 1500m, memory: 64Mi}, requests: {memory: 32Mi}}
        env:
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: MILLI, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
        - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
        - {name: ASKED, valueFrom: {resourceFieldRef: {resource: requests.memory}}}
        - {name: ALL, valueFrom: {resourceFieldRef: {resource: limits.cpu, containerName: free}}}
      - name: free
        command: ["true"]
"#;
    let script = "echo $CPU $MILLI $MEMORY $ASKED $ALL";
    let manifest = job("sized", "", script);
    let manifest = manifest.trim_end().to_owned() + "\n        " + env;
    let output = world.command("apply -f -").stdin(manifest).run().success();
    assert_eq!(output.stderr, "");
    world.wait_for_end("sized");
    let cpus = world.value("nodes", "{.items[0].status.allocatable.cpu}");
    let logs = world.run("logs job/sized -c main").success().stdout;
    assert_eq!(logs, format!("2 1500 64 33554432 {cpus}\n"));
    let shown = world.run("describe pods").success().stdout;
    assert!(shown.contains("MILLI:   1500 (requests.cpu)\n"), "{shown}");
    assert!(shown.contains("ALL:     2 (limits.cpu)\n"), "{shown}");
}

#[test]
fn what_cannot_be_run_yet_is_refused_and_never_half_run() {
    let world = World::new();
    let volumes = job("refused", "completionMode: Indexed\ncompletions: 2", LINE)
        .replace("      containers:", "      volumes: [{name: input, csi: {driver: d}}]\n      containers:");
    let output = world.command("apply -f -").stdin(volumes).run().failure();
    assert!(output.stderr.contains("spec.template.spec.volumes[0].csi"), "{}", output.stderr);
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn of_a_field_given_twice_the_last_counts_with_a_warning() {
    let world = World::new();
    let yaml = job("twice", "suspend: true\nbackoffLimit: 1\nbackoffLimit: 2", "true");
    world.manifest("twice.yaml", &yaml);
    let line = |text: &str| yaml.lines().position(|line| line.contains(text)).expect("a line") + 1;
    let (first, second) = (line("backoffLimit: 1"), line("backoffLimit: 2"));
    let warning = format!(
        "Warning: twice.yaml: line {second}: key \"backoffLimit\" already set in map (first at line {first}); the last \
         counts\n"
    );
    for (verb, stderr) in [
        ("create", &*warning),
        ("apply", &*warning),
        ("create --validate=warn", &*warning),
        ("create --validate=ignore", ""),
    ] {
        world.run(&format!("{verb} -f twice.yaml")).is(0, "job.batch/twice created\n", stderr);
        assert_eq!(world.value("job twice", "{.spec.backoffLimit}"), "2", "the last one counts");
        world.run("delete -f twice.yaml").prints("job.batch \"twice\" deleted\n");
    }
    world.run("label --local -f twice.yaml a=b").is(0, "job.batch/twice labeled\n", &warning);
    world.manifest(
        "twice.json",
        r#"{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "json"}, "spec": {
            "suspend": true, "sudden": 1, "suspend": true,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "command": ["true"]}]}}}}"#,
    );
    let warning = "Warning: twice.json: duplicate field \"spec.suspend\"; the last counts\n";
    world.run("create -f twice.json").fails_with(&format!(
        "{warning}Error from server (BadRequest): error when creating \"twice.json\": Job in version \"v1\" cannot be \
         handled as a Job: strict decoding error: unknown field \"spec.sudden\"\n",
    ));
    world.run("create -f twice.json --validate=warn").is(
        0,
        "job.batch/json created\n",
        &format!("{warning}Warning: unknown field \"spec.sudden\"\n"),
    );
}

#[test]
fn metadata_that_does_not_fit_is_told_as_kubectl_does() {
    let world = World::new();
    for (metadata, problem) in [
        ("name: n", "bool into Go struct field ObjectMeta.metadata.name of type string"),
        (
            "name: x, annotations: {a: y}",
            "bool into Go struct field ObjectMeta.metadata.annotations of type string",
        ),
    ] {
        world.manifest("odd.yaml", format!("apiVersion: batch/v1\nkind: Job\nmetadata: {{{metadata}}}\n"));
        for verb in ["create", "apply"] {
            world.run(&format!("{verb} -f odd.yaml")).fails_with(&format!(
                "error: unable to decode \"odd.yaml\": json: cannot unmarshal {problem}\n"
            ));
        }
    }
}

#[test]
fn what_does_not_read_in_a_directory_does_not_keep_the_rest_out() {
    let world = World::new();
    world.manifest("all/a.yaml", suspended("a"));
    world.manifest("all/c.yml", suspended("c"));
    std::os::unix::fs::symlink("/nonexistent", world.path("work/all/b.yaml")).expect("link");
    for (verb, said) in [
        ("create", "job.batch/a created\njob.batch/c created\n"),
        ("apply", "job.batch/a configured\njob.batch/c configured\n"),
        (
            "replace --force",
            "job.batch \"a\" deleted\njob.batch/a replaced\njob.batch \"c\" deleted\njob.batch/c replaced\n",
        ),
        ("delete", "job.batch \"a\" deleted\njob.batch \"c\" deleted\n"),
    ] {
        let output = world.run(&format!("{verb} -f all")).exits(1);
        assert_eq!(output.stdout, said, "{verb}");
        let errors: Vec<&str> = output.stderr.lines().filter(|line| !line.starts_with("Warning: ")).collect();
        assert_eq!(errors, ["error: open all/b.yaml: no such file or directory"], "{verb}");
    }
}

#[test]
fn patterns_of_names_are_expanded_where_the_shell_was_kept_from_it() {
    let world = World::new();
    for name in ["all/a.yml", "all/b.yaml", "all/c.yml", "more/d.yml"] {
        let letter = name.split(['/', '.']).nth(1).expect("a name");
        world.manifest(name, suspended(letter));
    }
    let created = |names: &[&str]| -> String {
        names.iter().map(|name| format!("job.batch/{name} created (dry run)\n")).collect()
    };
    for (patterns, names) in [
        ("-f 'all/*.yml'", &["a", "c"][..]),
        ("-f './all/?.yml'", &["a", "c"]),
        ("-f '*/[b-d].y*'", &["b", "c", "d"]),
        ("-f 'a*'", &["a", "b", "c"]),
        ("-f 'more/*' -f all/b.yaml", &["d", "b"]),
    ] {
        world.run(&format!("create --dry-run=client {patterns}")).prints(&created(names));
    }
    for (line, error) in [
        ("-f 'all/*.json'", "error: the path \"all/*.json\" does not exist\n"),
        ("-f 'all/[a.yml'", "error: pattern \"all/[a.yml\" is not valid: syntax error in pattern\n"),
        (
            "-f no.yaml -f all -f 'no*'",
            "the path \"no.yaml\" does not exist\nthe path \"no*\" does not exist\n",
        ),
        ("-f - -f all -f -", "error: standard input cannot be used for multiple arguments\n"),
    ] {
        world.run(&format!("create {line}")).fails_with(error);
    }
    // A file whose name looks like a pattern is that file.
    world.manifest("[x].yml", suspended("x"));
    world.run("create --dry-run=client -f '[x].yml'").prints(&created(&["x"]));
}

#[test]
fn the_objects_of_files_are_looked_for_where_the_files_say() {
    let world = World::new();
    let there = suspended("one").replace("metadata:\n", "metadata:\n  namespace: there\n");
    let path = world.manifest("there.yaml", there);
    let _ = world.run(&format!("create -f {path}")).success();
    let mismatch = "error: the namespace from the provided object \"there\" does not match the namespace \"here\". You \
                    must pass '--namespace=there' to perform this operation.\n";
    for verb in ["apply", "replace", "label a=b", "scale --replicas=2", "describe", "get", "delete"] {
        world.run(&format!("{verb} -n here -f {path}")).fails_with(mismatch);
    }
    world.run(&format!("label -f {path} a=b")).prints("job.batch/one labeled\n");
    world.run(&format!("get -f {path} -o name")).prints("job.batch/one\n");
    assert!(world.run(&format!("describe -f {path}")).success().stdout.contains("a=b"));
    world
        .run(&format!("wait --for=condition=suspended -f {path} --timeout=30s"))
        .prints("job.batch/one condition met\n");
    world.run(&format!("delete -f {path}")).prints("job.batch \"one\" deleted\n");
    world.run("get jobs -A").is(0, "", "No resources found\n");
}

#[test]
fn who_creates_in_another_namespace_than_the_current_one_is_told() {
    let world = World::new();
    let in_namespace = |name: &str, namespace: &str| {
        suspended(name).replace("metadata:\n", &format!("metadata:\n  namespace: {namespace}\n"))
    };
    let documents =
        [in_namespace("a", "ci"), in_namespace("b", "ci"), in_namespace("c", "default"), suspended("d")];
    let path = world.manifest("several.yaml", documents.join("---\n"));
    let _ = world.run("create namespace ci").success();
    let note = "created in namespace ci, which is not the current one (default); to see it there: -n ci\n";
    world.run(&format!("create --dry-run=server -f {path}")).exits_with(
        0,
        &["a", "b", "c", "d"]
            .map(|name| format!("job.batch/{name} created (server dry run)"))
            .each_ref()
            .map(|it| &**it),
        &[],
    );
    world.run(&format!("create -f {path}")).is(
        0,
        "job.batch/a created\njob.batch/b created\njob.batch/c created\njob.batch/d created\n",
        note,
    );
    let _ = world.run("delete jobs --all -A").success();
    let applied = world.run(&format!("apply -f {path}")).success();
    assert_eq!(applied.stderr, note);
    // What is there already, and what was asked for by name, is no news.
    assert_eq!(world.run(&format!("apply -f {path}")).success().stderr, "");
    let own = world.manifest("own.yaml", in_namespace("own", "ci"));
    assert_eq!(world.run(&format!("apply -n ci -f {own}")).success().stderr, "");
    let run = world
        .manifest("run.yaml", job("run", "", "true").replace("metadata:\n", "metadata:\n  namespace: ci\n"));
    let ran = world.run(&format!("run -f {run}")).success();
    assert!(ran.stderr.starts_with(note), "{}", ran.stderr);
}
