//! `--help`: the verbs in groups, and examples of each.

use std::fmt::Write as _;

use clap::Command;

/// The verbs as `jobctl --help` lists them; where kubectl has the verb, in kubectl's group.
const GROUPS: [(&str, &[&str]); 9] = [
    ("Basic Commands (Beginner)", &["create", "run", "set"]),
    ("Basic Commands (Intermediate)", &["explain", "get", "edit", "delete"]),
    ("Job Commands", &["rerun", "suspend", "resume", "next", "promote"]),
    ("Deploy Commands", &["rollout", "scale"]),
    (
        "Machine Management Commands",
        &[
            "cluster-info",
            "top",
            "cordon",
            "uncordon",
            "drain",
            "image",
            "metrics",
            "prune",
            "serve",
            "service",
            "reconcile",
            "watch",
        ],
    ),
    (
        "Troubleshooting and Debugging Commands",
        &["describe", "logs", "attach", "exec", "port-forward", "cp", "auth", "events", "doctor"],
    ),
    ("Advanced Commands", &["diff", "apply", "patch", "replace", "wait"]),
    ("Settings Commands", &["label", "annotate", "completion"]),
    ("Other Commands", &["api-resources", "api-versions", "config", "options", "version"]),
];

/// Command lines for each verb, one a line; what stands behind `#` says what they are for.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("jobctl annotate", &["jobctl annotate job/train owner=ada", "jobctl annotate jobs --all owner-"]),
    ("jobctl api-resources", &["jobctl api-resources", "jobctl api-resources -o name"]),
    ("jobctl api-versions", &["jobctl api-versions"]),
    (
        "jobctl apply",
        &[
            "jobctl apply -f job.yaml",
            "jobctl apply -f manifests/ --recursive",
            "cat job.yaml | jobctl apply -f -",
            "jobctl apply -f job.yaml --dry-run=server -o yaml   # what would be stored",
        ],
    ),
    (
        "jobctl attach",
        &["jobctl attach my-pod", "jobctl attach my-pod -c shell -it", "jobctl attach job/train"],
    ),
    ("jobctl auth", &["jobctl auth whoami", "jobctl auth can-i create jobs"]),
    ("jobctl auth can-i", &["jobctl auth can-i create jobs", "jobctl auth can-i --list"]),
    ("jobctl auth whoami", &["jobctl auth whoami"]),
    ("jobctl cluster-info", &["jobctl cluster-info"]),
    ("jobctl completion", &["source <(jobctl completion bash)", "jobctl completion fish | source"]),
    ("jobctl config", &["jobctl config set-context --current --namespace=ci", "jobctl config set maxPods 4"]),
    ("jobctl config current-context", &["jobctl config current-context"]),
    ("jobctl config get", &["jobctl config get", "jobctl config get maxPods"]),
    ("jobctl config get-clusters", &["jobctl config get-clusters"]),
    ("jobctl config get-contexts", &["jobctl config get-contexts"]),
    ("jobctl config get-users", &["jobctl config get-users"]),
    ("jobctl config set", &["jobctl config set maxPods 4", "jobctl config set defaultRequests.cpu 500m"]),
    ("jobctl config set-context", &["jobctl config set-context --current --namespace=ci"]),
    ("jobctl config unset", &["jobctl config unset maxPods"]),
    ("jobctl config use-context", &["jobctl config use-context jobctl"]),
    ("jobctl config view", &["jobctl config view", "jobctl config view --minify -o json"]),
    ("jobctl cordon", &["jobctl cordon \"$(hostname)\""]),
    (
        "jobctl cp",
        &[
            "jobctl cp model.bin my-pod:/data/",
            "jobctl cp my-pod:/data/out ./out -c worker",
            "jobctl cp ci/my-pod:/var/log/x.log x.log",
        ],
    ),
    (
        "jobctl create",
        &[
            "jobctl create -f job.yaml",
            "jobctl create job hello -- sh -c 'echo hello'",
            "jobctl create cronjob backup --schedule='30 2 * * *' -- ./backup.sh",
        ],
    ),
    ("jobctl create clusterrole", &["jobctl create clusterrole reader --verb=get,list --resource=jobs"]),
    (
        "jobctl create clusterrolebinding",
        &["jobctl create clusterrolebinding all --clusterrole=reader --user=ada"],
    ),
    (
        "jobctl create configmap",
        &[
            "jobctl create configmap settings --from-literal=level=debug",
            "jobctl create configmap files --from-file=conf/ --append-hash",
        ],
    ),
    (
        "jobctl create cronjob",
        &[
            "jobctl create cronjob backup --schedule='30 2 * * *' -- ./backup.sh",
            "jobctl create cronjob tick --schedule='@every 90s' --dry-run=client -o yaml -- date",
        ],
    ),
    (
        "jobctl create job",
        &[
            "jobctl create job hello -- sh -c 'echo hello'",
            "jobctl create job try --from=cronjob/backup",
            "jobctl create job evaluate --after job/train -- ./evaluate",
        ],
    ),
    ("jobctl create namespace", &["jobctl create namespace ci"]),
    ("jobctl create priorityclass", &["jobctl create priorityclass urgent --value=1000"]),
    ("jobctl create quota", &["jobctl create quota small --hard=pods=4,requests.cpu=2"]),
    ("jobctl create role", &["jobctl create role reader --verb=get --resource=jobs,pods"]),
    ("jobctl create rolebinding", &["jobctl create rolebinding ada-reads --role=reader --user=ada"]),
    (
        "jobctl create secret",
        &[
            "jobctl create secret generic token --from-literal=key=value",
            "jobctl create secret tls site --cert=c.pem --key=k.pem",
        ],
    ),
    (
        "jobctl create secret docker-registry",
        &["jobctl create secret docker-registry hub --docker-username=ada --docker-password=secret"],
    ),
    (
        "jobctl create secret generic",
        &[
            "jobctl create secret generic token --from-literal=key=value",
            "jobctl create secret generic ssh --from-file=id=key.pem",
        ],
    ),
    ("jobctl create secret tls", &["jobctl create secret tls site --cert=c.pem --key=k.pem"]),
    (
        "jobctl create service",
        &[
            "jobctl create service clusterip queue --tcp=6379",
            "jobctl create service clusterip peers --clusterip=None",
        ],
    ),
    ("jobctl create service clusterip", &["jobctl create service clusterip queue --tcp=6379"]),
    (
        "jobctl create service externalname",
        &["jobctl create service externalname db --external-name=db.example.com"],
    ),
    ("jobctl create service loadbalancer", &["jobctl create service loadbalancer web --tcp=80:8080"]),
    ("jobctl create service nodeport", &["jobctl create service nodeport web --tcp=80:8080"]),
    ("jobctl create serviceaccount", &["jobctl create serviceaccount builder"]),
    (
        "jobctl delete",
        &[
            "jobctl delete job hello",
            "jobctl delete -f job.yaml",
            "jobctl delete jobs --all --field-selector=status.successful=1",
            "jobctl delete cronjob backup --cascade=orphan   # its Jobs stay",
        ],
    ),
    (
        "jobctl describe",
        &["jobctl describe job hello", "jobctl describe pods -l job-name=hello", "jobctl describe node"],
    ),
    ("jobctl diff", &["jobctl diff -f job.yaml"]),
    ("jobctl doctor", &["jobctl doctor", "jobctl doctor --set-aside   # go on without damaged lines"]),
    ("jobctl drain", &["jobctl drain \"$(hostname)\""]),
    ("jobctl edit", &["jobctl edit cronjob/backup", "jobctl edit job hello -o json"]),
    ("jobctl events", &["jobctl events --for job/hello", "jobctl events -w --types=Warning"]),
    (
        "jobctl exec",
        &[
            "jobctl exec my-pod -- date",
            "jobctl exec -it job/train -- bash",
            "jobctl exec my-pod -c sidecar -i -- sh -c 'cat > /tmp/in' < in",
        ],
    ),
    ("jobctl explain", &["jobctl explain job.spec.backoffLimit", "jobctl explain cronjob --recursive"]),
    (
        "jobctl get",
        &[
            "jobctl get jobs,pods",
            "jobctl get pods -l job-name=hello -o wide",
            "jobctl get pods --failed",
            "jobctl get job hello -o jsonpath='{.status.succeeded}'",
            "jobctl get jobs -A -w",
        ],
    ),
    (
        "jobctl image",
        &[
            "jobctl image set me/app -- /opt/app/serve --port 80",
            "jobctl image set 'registry.example.com/*' --workdir /srv -- run-it",
            "jobctl image list",
        ],
    ),
    ("jobctl image list", &["jobctl image list"]),
    ("jobctl image remove", &["jobctl image remove me/app"]),
    (
        "jobctl image set",
        &[
            "jobctl image set me/app -- /opt/app/serve --port 80",
            "jobctl image set 'registry.example.com/*' --workdir /srv -- run-it",
        ],
    ),
    ("jobctl label", &["jobctl label job/train tier=back", "jobctl label jobs --all tier-"]),
    (
        "jobctl logs",
        &[
            "jobctl logs my-pod -c worker --tail=20",
            "jobctl logs -f job/train",
            "jobctl logs job/sweep --failed   # how every failed pod ended",
            "jobctl logs cronjob/backup",
        ],
    ),
    ("jobctl metrics", &["jobctl metrics", "jobctl metrics > jobs.prom"]),
    ("jobctl next", &["jobctl next cronjob/backup", "jobctl next --schedule='0 9 * * MON-FRI' --count=10"]),
    ("jobctl options", &["jobctl options"]),
    (
        "jobctl patch",
        &[
            "jobctl patch job big -p '{\"spec\":{\"parallelism\":8}}'",
            "jobctl patch cronjob backup --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/schedule\",\"value\":\"@daily\"}]'",
        ],
    ),
    ("jobctl prune", &["jobctl prune --older-than 168h --dry-run=client", "jobctl prune --older-than 168h"]),
    ("jobctl reconcile", &["jobctl reconcile"]),
    (
        "jobctl replace",
        &["jobctl replace -f cronjob.yaml", "jobctl replace --force -f job.yaml   # run it again, changed"],
    ),
    (
        "jobctl port-forward",
        &[
            "jobctl port-forward job/notebook 9000:8888",
            "jobctl port-forward my-pod :http   # any port that is free",
            "jobctl port-forward svc/web 8080:80 --address 0.0.0.0",
        ],
    ),
    (
        "jobctl promote",
        &[
            "jobctl promote job/train --context=prod --image=registry.example.com/train:1",
            "jobctl promote cronjob/nightly --context=prod --dry-run=client -o yaml",
        ],
    ),
    ("jobctl rerun", &["jobctl rerun job/hello", "jobctl rerun job/sweep --failed-indexes"]),
    ("jobctl resume", &["jobctl resume job/big", "jobctl resume cronjob/backup"]),
    (
        "jobctl rollout",
        &["jobctl rollout status statefulset/queue", "jobctl rollout restart statefulset/queue"],
    ),
    ("jobctl rollout history", &["jobctl rollout history statefulset/queue"]),
    ("jobctl rollout pause", &["jobctl suspend job/big   # what can be paused here"]),
    ("jobctl rollout restart", &["jobctl rollout restart statefulset/queue"]),
    ("jobctl rollout resume", &["jobctl resume job/big   # what can be paused here"]),
    ("jobctl rollout status", &["jobctl rollout status statefulset/queue --timeout=60s"]),
    ("jobctl rollout undo", &["jobctl rollout undo statefulset/queue --to-revision=2"]),
    (
        "jobctl run",
        &[
            "jobctl run -f job.yaml --timeout=30m   # in CI",
            "jobctl run -- make -j8 check",
            "jobctl run sweep --array-from params.csv -P 4 -- ./train --lr {lr}",
            "jobctl run -it --rm shell --image=busybox",
        ],
    ),
    ("jobctl scale", &["jobctl scale --replicas=8 job/big", "jobctl scale --replicas=3 statefulset/queue"]),
    (
        "jobctl serve",
        &[
            "jobctl serve   # kubectl, k9s and client libraries work on this machine",
            "jobctl serve -- kubectl get jobs",
            "jobctl serve --port=6443 --kubeconfig=kubeconfig",
        ],
    ),
    ("jobctl service", &["jobctl service install", "jobctl service status"]),
    ("jobctl service install", &["jobctl service install", "jobctl service install --print"]),
    ("jobctl service status", &["jobctl service status"]),
    ("jobctl service uninstall", &["jobctl service uninstall"]),
    (
        "jobctl set",
        &["jobctl set image cronjob/backup main=backup:2", "jobctl set env cronjob/backup LEVEL=debug OLD-"],
    ),
    (
        "jobctl set env",
        &["jobctl set env cronjob/backup LEVEL=debug OLD-", "jobctl set env cronjob/backup --list"],
    ),
    ("jobctl set image", &["jobctl set image cronjob/backup main=backup:2"]),
    (
        "jobctl set resources",
        &["jobctl set resources cronjob/backup --limits=memory=1Gi --requests=cpu=500m"],
    ),
    ("jobctl set selector", &["jobctl set selector service/queue app=queue"]),
    ("jobctl set serviceaccount", &["jobctl set serviceaccount cronjob/backup builder"]),
    ("jobctl set subject", &["jobctl set subject rolebinding/ada-reads --user=bob"]),
    ("jobctl suspend", &["jobctl suspend job/big", "jobctl suspend cronjob/backup"]),
    ("jobctl top", &["jobctl top pod --containers", "jobctl top node"]),
    ("jobctl top node", &["jobctl top node"]),
    ("jobctl top pod", &["jobctl top pod --containers", "jobctl top pod -A --sort-by=memory --io"]),
    ("jobctl uncordon", &["jobctl uncordon \"$(hostname)\""]),
    ("jobctl version", &["jobctl version", "jobctl version -o json"]),
    (
        "jobctl wait",
        &[
            "jobctl wait --for=condition=complete job/hello --timeout=60s",
            "jobctl wait --for=delete pod/my-pod",
            "jobctl wait --for=jsonpath='{.status.phase}'=Running pod/my-pod",
        ],
    ),
    ("jobctl watch", &["jobctl watch", "jobctl watch --until-idle"]),
];

/// The tree with what its help says beyond verbs and flags.
pub(super) fn dressed(tree: Command) -> Command {
    let groups = groups(&tree);
    let template = format!(
        "{{about-with-newline}}\n{groups}\nUsage:\n  {{usage}}\n\nOptions:\n{{options}}\n\n\
         Use \"jobctl <command> --help\" for more about a command, with examples."
    );
    let mut tree = tree.help_template(template);
    // The examples are found by the whole path of a verb.
    tree = tree.mut_subcommands(|verb| with_examples(verb, "jobctl"));
    tree
}

fn with_examples(verb: Command, above: &str) -> Command {
    let path = format!("{above} {}", verb.get_name());
    let lines = EXAMPLES.iter().find(|(of, _)| *of == path).map(|(_, lines)| lines.join("\n  "));
    let verb = verb.mut_subcommands(|inner| with_examples(inner, &path));
    match lines {
        Some(lines) => verb.after_help(format!("Examples:\n  {lines}")),
        None => verb,
    }
}

/// The verbs of each group with what they do, in columns.
fn groups(tree: &Command) -> String {
    let width = tree.get_subcommands().map(|verb| verb.get_name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (title, verbs) in GROUPS {
        let _ = writeln!(text, "{title}:");
        for verb in verbs.iter().filter_map(|name| tree.find_subcommand(name)) {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {:width$}  {about}", verb.get_name());
        }
        text.push('\n');
    }
    text.pop();
    text
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::super::{Cli, flags};
    use super::*;

    /// Every verb that help shows, with its path.
    fn verbs(tree: &Command, above: &str, found: &mut Vec<(String, Command)>) {
        for verb in tree.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
            let path = format!("{above} {}", verb.get_name());
            verbs(verb, &path, found);
            found.push((path, verb.clone()));
        }
    }

    /// A shell's words, as far as the examples have them; ended by what leads on to another command.
    fn words(line: &str) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let (mut quote, mut is_open) = (None, false);
        for letter in line.chars() {
            match (quote, letter) {
                (None, '#' | '|' | '<' | '>' | ')') if !is_open || letter == ')' => break,
                (None, ' ') => is_open = false,
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    if !is_open {
                        words.push(String::new());
                    }
                    is_open = true;
                }
                (Some(open), letter) if open == letter => quote = None,
                (_, letter) => {
                    if !is_open {
                        words.push(String::new());
                    }
                    is_open = true;
                    words.last_mut().expect("a word").push(letter);
                }
            }
        }
        words
    }

    #[test]
    fn every_verb_has_examples_and_each_is_a_line_that_reads() {
        let tree = super::super::command();
        let mut all = Vec::new();
        verbs(&tree, "jobctl", &mut all);
        assert!(all.len() > 80, "the verbs are found");
        for (path, verb) in &all {
            let shown = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines = shown.strip_prefix("Examples:\n").unwrap_or_else(|| panic!("{path} has no examples"));
            for line in lines.lines() {
                let start = line.find("jobctl ").unwrap_or_else(|| panic!("{line}"));
                let arguments: Vec<OsString> = words(&line[start..]).into_iter().map(Into::into).collect();
                let tree = flags::readable(Cli::command(), &arguments);
                let arguments = flags::verbs_first(&tree, arguments);
                let matches =
                    tree.try_get_matches_from(&arguments).unwrap_or_else(|error| panic!("{line}: {error}"));
                let (meant, strays) = flags::path_and_strays(&matches);
                assert!(strays.is_empty(), "{line}: {strays:?}");
                assert!(
                    meant.starts_with(path.as_str()) || path.starts_with("jobctl rollout "),
                    "{path}: {line}"
                );
                Cli::from_arg_matches(&matches).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
        let stale: Vec<_> =
            EXAMPLES.iter().filter(|(path, _)| !all.iter().any(|(one, _)| one == path)).collect();
        assert!(stale.is_empty(), "{stale:?}");
    }

    #[test]
    fn every_verb_is_in_one_group() {
        let tree = super::super::command();
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, verbs)| verbs.iter().copied()).collect();
        let mut all: Vec<_> = tree
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set())
            .map(Command::get_name)
            .filter(|name| *name != "help")
            .collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
    }
}
