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
fn without_a_kubeconfig_there_is_one_context() {
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
            "error: context \"dev\" does not exist, and a kubeconfig is kubectl's to change: kubectl config set-context \
             dev\n",
        ),
        (
            "config set-context --current --user=x",
            "error: --user cannot be used here: a kubeconfig is kubectl's to change\n",
        ),
        (
            "config delete-context dev",
            "error: a kubeconfig is kubectl's to change: kubectl config delete-context dev\n",
        ),
        (
            "config rename-context dev prod",
            "error: a kubeconfig is kubectl's to change: kubectl config rename-context dev prod\n",
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
        "--server, --token have no effect: no cluster is named (--context), all objects are on this machine\n",
    );
    world.run("get jobs -o name --as me").is(
        0,
        "job.batch/one\n",
        "--as has no effect: no cluster is named (--context), all objects are on this machine\n",
    );
    world.run("delete job one --context prod").fails_with("error: context \"prod\" does not exist\n");
    world.run("get jobs -o name").prints("job.batch/one\n");
    world
        .run("config rename-context jobctl x")
        .fails_with("error: cannot rename the context \"jobctl\": it is this machine\n");
    world
        .run("config delete-context x")
        .fails_with("error: a kubeconfig is kubectl's to change: kubectl config delete-context x\n");
    world.run("config set-context --current --namespace=team").prints("Context \"jobctl\" modified.\n");
    world
        .run("config unset contexts.jobctl.namespace")
        .prints("Property \"contexts.jobctl.namespace\" unset.\n");
    world.run("get jobs -o name").prints("job.batch/one\n");
}

/// Two contexts, of which one is called as this machine.
const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: prod
contexts:
- {name: prod, context: {cluster: c, user: u, namespace: team}}
- {name: jobctl, context: {cluster: d, user: v}}
clusters:
- {name: c, cluster: {server: 'http://127.0.0.1:1', certificate-authority-data: eHg=}}
- {name: d, cluster: {server: 'http://127.0.0.1:2', certificate-authority: ca}}
users:
- {name: u, user: {token: very-secret, client-certificate-data: eHg=, client-key-data: eHg=}}
- {name: v, user: {username: a, password: very-secret}}
- {name: w, user: {auth-provider: {name: x, config: {token: very-secret}}}}
";

fn refused_by(port: u16) -> String {
    format!(
        "The connection to the server 127.0.0.1:{port} was refused - did you specify the right host or port?\n"
    )
}

/// A world with that kubeconfig at the place where kubectl looks for one.
fn world_with_contexts() -> World {
    let world = World::new();
    std::fs::create_dir(world.path("home/.kube")).expect("make a directory");
    std::fs::write(world.path("home/.kube/config"), KUBECONFIG).expect("write");
    std::fs::write(world.path("home/.kube/ca"), "an authority").expect("write");
    world
}

#[test]
fn this_machine_is_meant_until_a_cluster_is_chosen() {
    let world = world_with_contexts();
    let nothing = "No resources found in default namespace.\n";
    world.run("get jobs").is(0, "", nothing);
    world.run("config current-context").prints("jobctl\n");
    world.run("config use-context prod").prints("Switched to context \"prod\".\n");
    world.run("config current-context").prints("prod\n");
    world.run("get jobs").is(1, "", &refused_by(1));
    // What is about this machine goes on being about it.
    let _ = world.run("doctor").success();
    world.run("top node").is(
        1,
        "",
        "error: top is for this machine: of a cluster, kubectl --context=prod top; of this machine, jobctl \
         --context=jobctl top\n",
    );
    world.run("--context=jobctl get jobs").is(0, "", nothing);
    world.run("config use-context jobctl").prints("Switched to context \"jobctl\".\n");
    world.run("get jobs").is(0, "", nothing);
    assert_eq!(std::fs::read_to_string(world.path("home/.kube/config")).expect("read"), KUBECONFIG);
}

#[test]
fn a_context_called_as_this_machine_is_meant_where_its_file_is_named() {
    let world = world_with_contexts();
    let listed = "CURRENT   NAME     CLUSTER   AUTHINFO   NAMESPACE\n*         jobctl   jobctl    jobctl     \n          \
                  prod     c         u          team\n";
    let shadowed = "the kubeconfig has a context \"jobctl\", too; to mean that one and not this machine, name its file: \
                    --kubeconfig\n";
    world.run("config get-contexts").is(0, listed, shadowed);
    world.run("config get-contexts -o name").prints("jobctl\nprod\n");
    world.run("config get-clusters").prints("NAME\njobctl\nc\nd\n");
    world.run("config get-users").prints("NAME\njobctl\nu\nv\nw\n");
    let file = world.path("home/.kube/config").display().to_string();
    world
        .run(&format!("config get-contexts --no-headers --kubeconfig={file}"))
        .prints("      jobctl   d     v     \n*     prod     c     u     team\n");
    world.run(&format!("--kubeconfig={file} --context=jobctl get jobs")).is(1, "", &refused_by(2));
    // And that of the file, where none is named.
    world.run(&format!("--kubeconfig={file} get jobs")).is(1, "", &refused_by(1));
    let _ = world.run(&format!("config use-context jobctl --kubeconfig={file}")).success();
    world.run("get jobs").is(1, "", &refused_by(2));
    let _ = world.run("config use-context jobctl").success();
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    // Which file that is does not depend on where somebody stands.
    let _ = world
        .command("config use-context prod --kubeconfig=config")
        .directory("home/.kube")
        .env("HOME", "/nonexistent")
        .run()
        .success();
    world.run("get jobs").is(1, "", &refused_by(1));
}

#[test]
fn a_context_that_has_gone_is_named_with_the_way_back() {
    let world = world_with_contexts();
    let _ = world.run("config use-context prod").success();
    world.run("--context=other get jobs").is(1, "", "error: context \"other\" does not exist\n");
    std::fs::remove_file(world.path("home/.kube/config")).expect("remove");
    world.run("get jobs").is(
        1,
        "",
        "error: the current context (this machine is: jobctl config use-context jobctl): context \"prod\" does not \
         exist\n",
    );
    let _ = world.run("config use-context jobctl").success();
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn each_context_has_a_namespace_of_its_own() {
    let world = world_with_contexts();
    world.run("config set-context prod --namespace=mine").prints("Context \"prod\" modified.\n");
    world.run("config get-contexts --no-headers prod").is(
        0,
        "      prod   c     u     mine\n",
        "the kubeconfig has a context \"jobctl\", too; to mean that one and not this machine, name its file: \
         --kubeconfig\n",
    );
    let namespace = |line: &str| {
        world
            .run(&format!("{line} config view --minify -o jsonpath='{{.contexts[0].context.namespace}}'"))
            .success()
            .stdout
    };
    assert_eq!(namespace("--context=prod"), "mine");
    assert_eq!(namespace(""), "");
    let _ = world.run("config use-context prod").success();
    let _ = world.run("config set-context --current --namespace=other").success();
    assert_eq!((namespace(""), namespace("--context=jobctl")), ("other".into(), String::new()));
    // A file that is named is taken as it is.
    let file = world.path("home/.kube/config").display().to_string();
    assert_eq!(namespace(&format!("--kubeconfig={file}")), "team");
    world.run(&format!("config set-context prod --namespace=x --kubeconfig={file}")).fails_with(
        "error: a kubeconfig is kubectl's to change: kubectl config set-context prod \
         --kubeconfig=WORLD/home/.kube/config\n",
    );
    world
        .run("config set contexts.prod.namespace third")
        .prints("Property \"contexts.prod.namespace\" set.\n");
    assert_eq!(namespace(""), "third");
    let _ = world.run("config unset contexts.prod.namespace").success();
    assert_eq!(namespace(""), "team");
}

#[test]
fn secrets_are_shown_to_whom_asks_for_them() {
    let world = world_with_contexts();
    let file = world.path("home/.kube/config").display().to_string();
    let view = world.run(&format!("config view --kubeconfig={file}")).success().stdout;
    assert!(!view.contains("very-secret") && !view.contains("eHg="), "{view}");
    let expected = "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: DATA+OMITTED
    server: http://127.0.0.1:1
  name: c
contexts:
- context:
    cluster: c
    namespace: team
    user: u
  name: prod
current-context: prod
kind: Config
preferences: {}
users:
- name: u
  user:
    client-certificate-data: DATA+OMITTED
    client-key-data: DATA+OMITTED
    token: REDACTED
";
    world.run("--context=prod config view --minify").prints(expected);
    let raw = expected.replace("DATA+OMITTED", "eHg=").replace("REDACTED", "very-secret");
    world.run(&format!("config view --raw --minify --kubeconfig={file}")).prints(&raw);
    let flat =
        world.run("config view --flatten -o json --kubeconfig={}".replace("{}", &file).as_str()).success();
    let flat: serde_json::Value = serde_json::from_str(&flat.stdout).expect("JSON");
    assert_eq!(flat["clusters"][1]["cluster"]["certificate-authority-data"], "YW4gYXV0aG9yaXR5");
    for (line, error) in [
        ("--context=x config view --minify", "error: cannot locate context x\n"),
        (
            "config view --minify --kubeconfig=/dev/null",
            "error: current-context must exist in order to minify\n",
        ),
        ("config current-context --kubeconfig=/dev/null", "error: current-context is not set\n"),
        ("config use-context x", "error: no context exists with the name: \"x\"\n"),
        (
            "get jobs --kubeconfig=/dev/null",
            "error: current-context is not set: name a context with --context\n",
        ),
    ] {
        world.run(line).fails_with(error);
    }
}
