//! What a step of CI gets: a JUnit report, GitHub's annotations, and a verdict that a program reads.

use crate::common::{World, job};

/// The attributes that change are left out.
fn steady(report: &str) -> String {
    let mut text = report.to_owned();
    for attribute in [" time=\"", " timestamp=\""] {
        while let Some(start) = text.find(attribute) {
            let rest = &text[start + attribute.len()..];
            let end = start + attribute.len() + rest.find('"').expect("a closing quote") + 1;
            text.replace_range(start..end, "");
        }
    }
    text
}

#[test]
fn a_report_has_a_case_for_each_index() {
    let world = World::new();
    let manifest = job(
        "shards",
        "completions: 3\nparallelism: 1\ncompletionMode: Indexed\nbackoffLimitPerIndex: 1",
        "case $JOB_COMPLETION_INDEX in 1) test -f tried || { touch tried; exit 4; };; \
         2) printf 'a <b> & \\033[31mred\\n'; exit 3;; esac",
    );
    world.manifest("shards.yaml", manifest);
    let _ = world.run("run -f shards.yaml --junit report.xml").exits(3);
    let report = std::fs::read_to_string(world.path("work/report.xml")).expect("a report");
    let pod = |index: &str| {
        let start = report.find(&format!("pod/shards-{index}-")).expect("a pod");
        report[start + 4..].split(':').next().expect("a name").to_owned()
    };
    let (first, second) = (pod("1"), report.split("pod/shards-2-").collect::<Vec<_>>());
    let names: Vec<String> = second[1..].iter().map(|text| format!("shards-2-{}", &text[..5])).collect();
    let (retried, last) = (names.last().expect("a rerun"), &names[0]);
    assert_eq!(
        steady(&report),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites name=\"jobctl\" tests=\"3\" skipped=\"0\" failures=\"1\" errors=\"0\">\n    \
             <testsuite name=\"shards\" tests=\"3\" skipped=\"0\" errors=\"0\" failures=\"1\">\n        \
             <testcase name=\"index 0\" classname=\"shards\"/>\n        \
             <testcase name=\"index 1\" classname=\"shards\">\n            \
             <flakyFailure message=\"pod/{first}: container main ended with exit code 4 (Error)\">\n            </flakyFailure>\n        </testcase>\n        \
             <testcase name=\"index 2\" classname=\"shards\">\n            \
             <failure message=\"pod/{last}: container main ended with exit code 3 (Error)\" type=\"Error\">\
             pod/{last}: container main ended with exit code 3 (Error); its log ends with:\n    a &lt;b&gt; &amp; red</failure>\n            \
             <rerunFailure message=\"pod/{retried}: container main ended with exit code 3 (Error)\">\n            </rerunFailure>\n        </testcase>\n    \
             </testsuite>\n</testsuites>\n"
        )
    );
}

#[test]
fn a_report_has_a_case_for_each_pod_and_for_a_job_that_fails_without_one() {
    let world = World::new();
    let twice = job("twice", "completions: 2", "true");
    let late = job("late", "activeDeadlineSeconds: 1", "exec sleep 1000");
    world.manifest("jobs.yaml", format!("{twice}---\n{late}"));
    let _ = world.run("run -f jobs.yaml --junit report.xml").exits(124);
    let report = steady(&std::fs::read_to_string(world.path("work/report.xml")).expect("a report"));
    assert_eq!(report.matches("<testcase ").count(), 3, "{report}");
    assert_eq!(report.matches("<failure ").count() + report.matches("<error ").count(), 1, "{report}");
    assert_eq!(report.matches("classname=\"twice\"").count(), 2, "{report}");
    // A report that cannot be written does not hide how the Job has ended.
    let both = world.run("run --junit none/report.xml -- sh -c 'exit 7'").exits(1);
    assert!(both.stderr.contains("ended with exit code 7"), "{}", both.stderr);
    world
        .run("run --junit none/report.xml -q -- true")
        .fails_with("error: write none/report.xml: No such file or directory (os error 2)\n");
}

#[test]
fn failures_are_annotations_in_github_actions() {
    let world = World::new();
    world.manifest("bad.yaml", job("bad", "backoffLimit: 0", "echo 100%; exit 7"));
    let failed = world.command("run -f bad.yaml -q").env("GITHUB_ACTIONS", "true").run().exits(7);
    let pod = world.value("pods", "{.items[0].metadata.name}");
    let annotation = format!(
        "::error file=bad.yaml,title=job.batch/bad::job.batch/bad failed: BackoffLimitExceeded: Job has reached the \
         specified backoff limit%0Apod/{pod}: container main ended with exit code 7 (Error)\n"
    );
    assert!(failed.stderr.ends_with(&annotation), "{}", failed.stderr);
    let line = "wait --for=condition=complete job/bad";
    let failed = world.command(line).env("GITHUB_ACTIONS", "true").run().exits(1);
    let annotation = format!(
        "::error title=job.batch/bad::job.batch/bad failed: BackoffLimitExceeded: Job has reached the specified backoff \
         limit%0Apod/{pod}: container main ended with exit code 7 (Error); its log ends with:%0A    100%25\n"
    );
    assert!(failed.stderr.contains(&annotation), "{}", failed.stderr);
    assert!(!world.run(line).exits(1).stderr.contains("::error"));
}

#[test]
fn wait_gives_a_verdict_also_where_the_condition_is_not_met() {
    let world = World::new();
    let _ = world.apply(&job("bad", "backoffLimit: 0", "exit 7"));
    let verdict = "-o jsonpath='{.status.conditions[-1:].type}: {.status.conditions[-1:].reason}'";
    let failed = world.run(&format!("wait --for=condition=complete job/bad {verdict}")).exits(1);
    assert_eq!(failed.stdout, "Failed: BackoffLimitExceeded");
    let met = world.run(&format!("wait --for=condition=failed job/bad {verdict}")).exits(0);
    assert_eq!(met.stdout, "Failed: BackoffLimitExceeded");
    let _ = world.apply(&job("slow", "suspend: true", "true"));
    let late = world.run("wait --for=condition=complete job/slow --timeout=50ms -o json").exits(1);
    assert!(late.stdout.contains("\"name\": \"slow\""), "{}", late.stdout);
    assert_eq!(
        world.run("wait --for=condition=complete job/slow --timeout=50ms -o name").exits(1).stdout,
        ""
    );
    assert_eq!(world.run("wait --for=condition=complete job/none -o json").exits(1).stdout, "");
}
