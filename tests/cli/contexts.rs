//! What commands refer to: the chosen namespace, and the verbs that tell of a cluster.

use crate::common::{World, job};

#[test]
fn a_chosen_namespace_holds_for_the_commands_to_come() {
    let world = World::new();
    world.run("config current-context").prints("jobctl\n");
    world.run("config get-contexts").prints(
        "CURRENT   NAME     CLUSTER   AUTHINFO   NAMESPACE\n*         jobctl   jobctl    jobctl     \n",
    );
    world.run("config set-context --current --namespace=team").prints("Context \"jobctl\" modified.\n");
    world.run("config get-contexts --no-headers").prints("*     jobctl   jobctl   jobctl   team\n");
    world.run("config get-contexts -o name").prints("jobctl\n");
    assert_eq!(
        world.run("config view --minify").success().stdout,
        format!(
            "apiVersion: v1\nclusters:\n- cluster:\n    server: file://{}\n  name: jobctl\ncontexts:\n- context:\n    \
             cluster: jobctl\n    namespace: team\n    user: jobctl\n  name: jobctl\ncurrent-context: jobctl\nkind: \
             Config\npreferences: {{}}\nusers:\n- name: jobctl\n  user: {{}}\n",
            world.store().display()
        )
    );
    let created = world.apply(&job("one", "suspend: true", "true"));
    assert!(created.stderr.contains("namespace \"team\" did not exist"), "{}", created.stderr);
    world.run("get jobs -o name").prints("job.batch/one\n");
    world.run("get jobs -n default").is(0, "", "No resources found in default namespace.\n");
    world.run("label job one a=b").prints("job.batch/one labeled\n");
    // A manifest may name another; only a command line forbids that.
    let path = world.manifest(
        "two.yaml",
        job("two", "suspend: true", "true").replace("name: two\n", "name: two\n  namespace: default\n"),
    );
    world.run(&format!("apply -f {path}")).is(
        0,
        "job.batch/two created\n",
        "created in namespace default, which is not the current one (team); to see it there: -n default\n",
    );
    world.run(&format!("get -f {path} -o name")).prints("job.batch/two\n");
    let refused = world.run(&format!("apply -n team -f {path}")).failure();
    assert!(refused.stderr.contains("does not match the namespace \"team\""), "{}", refused.stderr);
    // What names no namespace is found in the chosen one by its file, too.
    let path = world.manifest("one.yaml", job("one", "suspend: true", "true"));
    world.run(&format!("delete -f {path}")).prints("job.batch \"one\" deleted\n");
    world.run("config set-context --current --namespace=").prints("Context \"jobctl\" modified.\n");
    world.run("get jobs -o name").prints("job.batch/two\n");
}

#[test]
fn keys_of_the_configuration_are_set_and_unset() {
    let world = World::new();
    world.run("config get").prints("nodeName: node1\n");
    world.run("config set maxPods 2").prints("Property \"maxPods\" set.\n");
    world.run("config set defaultRequests.cpu 100m").prints("Property \"defaultRequests.cpu\" set.\n");
    let _ = world.run("config set 'extendedResources.nvidia.com/gpu' '[0, 1]'").success();
    world.run("config get maxPods").prints("2\n");
    world.run("config get defaultRequests.cpu").prints("100m\n");
    world.run("config get").prints(
        "nodeName: node1\nmaxPods: 2\ndefaultRequests:\n  cpu: 100m\nextendedResources:\n  nvidia.com/gpu:\n  - 0\n  - 1\n",
    );
    // It holds for what comes.
    assert_eq!(world.value("node node1", "{.status.capacity.nvidia\\.com/gpu}"), "2");
    world.run("config unset defaultRequests.cpu").prints("Property \"defaultRequests.cpu\" unset.\n");
    let unknown = world.run("config unset nope").failure().stderr;
    assert!(unknown.starts_with("error: unknown field `nope`, expected one of `backoffBase`"), "{unknown}");
    world.run("config get defaultRequests").is(1, "", "error: defaultRequests is not set\n");
    let _ = world.run("config set contexts.jobctl.namespace team").success();
    world.run("config get-contexts --no-headers").prints("*     jobctl   jobctl   jobctl   team\n");
    let _ = world.run("config unset contexts.jobctl.namespace").success();
    for (line, error) in [
        ("config set maxPods few", "error: maxPods: invalid type: string \"few\", expected u32\n"),
        ("config set idleTimeout -- -1s", "error: idleTimeout: \"-1s\" is negative\n"),
        ("config set maxPods.x 1", "error: maxPods holds no keys of its own\n"),
        (
            "config set maxPods {",
            "error: \"{\" is no value in YAML: did not find expected node content at line 2 column 1, while parsing a flow \
             node\n",
        ),
        ("config set idleTimeout soon", "error: idleTimeout: time: invalid duration \"soon\"\n"),
        (
            "config set maxpods 1",
            "error: unknown field `maxpods`, expected one of `backoffBase`, `terminatedPodThreshold`, `nodeName`, \
             `idleTimeout`, `onFailure`, `onSuccess`, `maxPods`, `defaultRequests`, `extendedResources`\n",
        ),
    ] {
        world.run(line).is(1, "", error);
    }
    world.run("config get maxPods").prints("2\n");
}

#[test]
fn there_is_one_context() {
    let world = World::new();
    world.run("config use-context jobctl").prints("Switched to context \"jobctl\".\n");
    world.run("config get-clusters").prints("NAME\njobctl\n");
    for (line, error) in [
        ("config use-context kind", "error: no context exists with the name: \"kind\"\n"),
        ("config set-context", "error: you must specify a non-empty context name or --current\n"),
        (
            "config set-context jobctl --current",
            "error: you cannot specify both a context name and --current\n",
        ),
        (
            "config set-context dev --namespace=x",
            "error: there is one context, \"jobctl\"; a namespace is chosen by: jobctl config set-context --current \
             --namespace=dev\n",
        ),
        ("config frob", "error: unknown command \"frob\"\nSee 'jobctl config -h' for help and examples\n"),
    ] {
        world.run(line).fails_with(error);
    }
    let missing = world.run("config get-contexts nope").failure();
    assert_eq!(missing.stderr, "error: context nope not found\n");
    // A file that somebody has spoilt is named.
    std::fs::write(world.path("config/jobctl/context.yaml"), "name: x\n").expect("write");
    let spoilt = world.run("get jobs").failure();
    assert!(spoilt.stderr.contains("context.yaml: unknown field `name`"), "{}", spoilt.stderr);
}

#[test]
fn verbs_about_a_cluster_answer() {
    let world = World::new();
    let info = world.run("cluster-info").success().stdout;
    let first = format!("Kubernetes control plane is running at file://{}", world.store().display());
    assert_eq!(info.lines().next(), Some(first.as_str()));
    world.run("auth can-i create jobs").prints("yes\n");
    world.run("auth can-i get pods --subresource=log -q").prints("");
    world.run("auth can-i get foo").is(
        0,
        "yes\n",
        "Warning: the server doesn't have a resource type 'foo'\n\n",
    );
    world.run("auth can-i --list --no-headers").prints("*.*   []    []    [*]\n      [*]   []    [*]\n");
    let options = world.run("options").success().stdout;
    assert!(
        options.contains("    -n, --namespace='':\n\tThe namespace scope of this request\n"),
        "{options}"
    );
    assert!(options.contains("--kubeconfig"), "{options}");
    let version = world.run("version --client -o yaml").success().stdout;
    assert!(
        version.starts_with("clientVersion:\n  gitVersion: v") && !version.contains("server"),
        "{version}"
    );
    let version = world.run("version -o json").success().stdout;
    let version: serde_json::Value = serde_json::from_str(&version).expect("JSON");
    assert_eq!(
        (&version["serverVersion"]["major"], &version["serverVersion"]["minor"]),
        (&"1".into(), &"34".into())
    );
    world.run("version -o foo").fails_with("error: --output must be 'yaml' or 'json'\n");
}

#[test]
fn api_resources_are_chosen_and_sorted() {
    let world = World::new();
    world
        .run("api-resources --api-group=batch --no-headers")
        .prints("cronjobs   cj    batch/v1   true   CronJob\njobs             batch/v1   true   Job\n");
    world
        .run("api-resources --categories=all -o name --sort-by=name")
        .prints("cronjobs.batch\njobs.batch\npods\nservices\nstatefulsets.apps\n");
    world.run("api-resources --verbs=frob").prints("NAME   SHORTNAMES   APIVERSION   NAMESPACED   KIND\n");
    let names = |line: &str| world.run(line).success().stdout;
    assert!(names("api-resources --verbs=list,watch -o name").contains("endpoints"));
    assert!(!names("api-resources --verbs=list,create -o name").contains("endpoints"));
    assert!(names("api-resources --verbs=list,get -o name").contains("endpointslices.discovery.k8s.io"));
    let wide = names("api-resources -o wide --namespaced=false");
    assert!(wide.contains("create,delete,get,list,patch,update,watch") && !wide.contains("jobs"), "{wide}");
    for (line, error) in [
        ("api-resources --sort-by=foo", "error: --sort-by accepts only name or kind\n"),
        ("api-resources -o foo", "error: --output foo is not available\n"),
    ] {
        world.run(line).fails_with(error);
    }
}

#[test]
fn whoami_says_as_whom_commands_run() {
    let world = World::new();
    let output = world.run("auth whoami").success();
    let lines = output.lines();
    assert_eq!(lines[0], "ATTRIBUTE   VALUE");
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("users").expect("a name").name;
    assert_eq!(lines[1], format!("Username    {user}"));
    assert!(lines[3].starts_with("Groups      ["), "{lines:?}");
    assert!(world.run("auth whoami -o yaml").success().stdout.contains(&format!("username: {user}\n")));
}

#[test]
fn flags_for_a_cluster_are_explained_and_another_context_is_refused() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.run("get jobs -o name --context jobctl --request-timeout=5s -v 3").prints("job.batch/one\n");
    world.run("--server https://x --token y get jobs -o name").is(
        0,
        "job.batch/one\n",
        "--server, --token have no effect: there is no cluster, all objects are on this machine\n",
    );
    world.run("get jobs -o name --as me").is(
        0,
        "job.batch/one\n",
        "--as has no effect: there is no cluster, all objects are on this machine\n",
    );
    world.run("delete job one --context prod").fails_with(
        "error: context \"prod\" does not exist: there is one, \"jobctl\", which is this machine; clusters are kubectl's\n",
    );
    world.run("get jobs -o name").prints("job.batch/one\n");
    world
        .run("config rename-context jobctl x")
        .fails_with("error: cannot rename the context \"jobctl\": it is this machine\n");
    world.run("config delete-context x").fails_with("error: cannot delete context x, it is not there\n");
    world.run("config set-context --current --namespace=team").prints("Context \"jobctl\" modified.\n");
    world
        .run("config unset contexts.jobctl.namespace")
        .prints("Property \"contexts.jobctl.namespace\" unset.\n");
    world.run("get jobs -o name").prints("job.batch/one\n");
}
