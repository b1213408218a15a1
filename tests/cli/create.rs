//! `create -f` and `create job`.

use crate::common::{World, job};

#[test]
fn create_job_runs_the_command_given() {
    let world = World::new();
    world.run("create job hello --image=busybox -- echo 'hello world'").prints("job.batch/hello created\n");
    world.wait_for_end("hello");
    world.run("logs job/hello").prints("hello world\n");
}

#[test]
fn create_job_shows_the_manifest_that_kubectl_shows() {
    let world = World::new();
    world.run("create job x --image=y --dry-run=client -o yaml -- cmd a b").prints(
        r#"
        apiVersion: batch/v1
        kind: Job
        metadata:
          creationTimestamp: null
          name: x
        spec:
          template:
            metadata:
              creationTimestamp: null
            spec:
              containers:
              - command:
                - cmd
                - a
                - b
                image: "y"
                name: x
                resources: {}
              restartPolicy: Never
        status: {}
        "#,
    );
    world.run("create job x --image=y --dry-run=client -- cmd").prints("job.batch/x created (dry run)\n");
    world
        .run("create job x --image=y --dry-run=server -- true")
        .prints("job.batch/x created (server dry run)\n");
    world.run("create job x --image=y --dry-run=client -o name -- cmd").prints("job.batch/x\n");
    world.run("get all").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn create_refuses_a_name_that_exists() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    world.run(&format!("create -f {path}")).prints("job.batch/one created\n");
    world.run(&format!("create -f {path}")).fails_with(
        "Error from server (AlreadyExists): error when creating \"job.yaml\": jobs.batch \"one\" already exists\n",
    );
    world
        .run("create job one --image=x -- true")
        .fails_with("error: failed to create job: jobs.batch \"one\" already exists\n");
}

#[test]
fn generate_name_gives_every_object_a_name_of_its_own() {
    let world = World::new();
    let manifest = job("one", "suspend: true", "true").replace("name: one", "generateName: run-");
    let path = world.manifest("job.yaml", manifest);
    world.run(&format!("create -f {path}")).prints("job.batch/run-xxxxx created\n");
    world.run(&format!("create -f {path}")).prints("job.batch/run-xxxxx created\n");
    assert_eq!(world.run("get jobs -o name").success().lines().len(), 2);
}

#[test]
fn create_job_without_name_image_or_command_says_so() {
    let world = World::new();
    let output = world.run("create job").failure();
    assert!(output.stderr.starts_with("error: exactly one NAME is required, got 0\n"), "{}", output.stderr);
    world.run("create").fails_with("error: must specify one of -f and -k\n");
}

#[test]
fn who_has_no_path_gets_the_one_that_container_runtimes_give() {
    let world = World::new();
    let mut command = world.command("create job one -- sh -c 'echo $PATH'").build();
    let status =
        command.env_remove("PATH").stdout(std::process::Stdio::null()).status().expect("start jobctl");
    assert!(status.success());
    world.wait_for_end("one");
    let output = world.run("logs job/one").success();
    assert_eq!(output.stdout, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
}

#[test]
fn with_save_config_an_object_can_be_applied_later() {
    let world = World::new();
    let annotation = r"{.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}";
    let kept = |target: &str| {
        let text = world.run(&format!("get {target} -o 'jsonpath={annotation}'")).success().stdout;
        serde_json::from_str::<serde_json::Value>(&text).map_or(String::new(), |kept| {
            format!("{} {}", kept["kind"].as_str().unwrap_or_default(), kept["metadata"]["name"])
        })
    };
    world.run("create job one --image=x --save-config -- true").prints("job.batch/one created\n");
    assert_eq!(kept("job/one"), "Job \"one\"");
    world
        .run("create cronjob every --image=x --schedule='0 0 1 1 *' --save-config=true -- true")
        .prints("cronjob.batch/every created\n");
    assert_eq!(kept("cronjob/every"), "CronJob \"every\"");
    world.run("create job two --from=cronjob/every --save-config").prints("job.batch/two created\n");
    assert_eq!(kept("job/two"), "Job \"two\"");
    world.manifest("three.yaml", job("three", "suspend: true", "true"));
    world.run("create -f three.yaml --save-config").prints("job.batch/three created\n");
    world.run("apply -f three.yaml").prints("job.batch/three unchanged\n");
    let shown = world.run("create job x --image=y --save-config --dry-run=client -o yaml").success().stdout;
    assert!(shown.contains("last-applied-configuration: |\n      {\"apiVersion\":\"batch/v1\""), "{shown}");
    let _ = world.run("delete jobs,cronjobs --all").success();
}

#[test]
fn several_objects_are_printed_one_after_another() {
    let world = World::new();
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: a, command: [x]}}]}}\n"
        )
    };
    world.manifest("two.yaml", format!("{}---\n{}", pod("one"), pod("two")));
    world.run("create -f two.yaml --dry-run=client -o yaml").prints(
        "
        apiVersion: v1
        kind: Pod
        metadata:
          name: one
          namespace: default
        spec:
          containers:
          - command:
            - x
            name: a
        ---
        apiVersion: v1
        kind: Pod
        metadata:
          name: two
          namespace: default
        spec:
          containers:
          - command:
            - x
            name: a
        ",
    );
    let json = world.run("create -f two.yaml --dry-run=client -o json").success().stdout;
    assert_eq!(json.lines().filter(|line| *line == "{").count(), 2, "{json}");
    let applied = world.run("apply -f two.yaml --dry-run=client -o yaml").success().stdout;
    assert!(applied.contains("\nkind: List\n"), "only apply makes a List: {applied}");
}

#[test]
fn a_list_without_items_holds_nothing() {
    let world = World::new();
    world.manifest("list.yaml", "apiVersion: v1\nkind: List\n");
    world.run("create -f list.yaml").fails_with("error: no objects passed to create\n");
    world.run("apply -f list.yaml").fails_with("error: no objects passed to apply\n");
}

#[test]
fn flags_may_stand_between_create_and_what_it_creates() {
    let world = World::new();
    world.run("create -n there --dry-run=client job one --image=y -o name -- true").prints("job.batch/one\n");
    let made = world.run("create -n there --dry-run=client -o yaml job one --image=y -- true").success();
    assert!(made.stdout.contains("namespace: there\n"), "{}", made.stdout);
}
