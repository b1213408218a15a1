//! set image, env, resources: what kubectl prints of files, and what becomes of stored objects.

use serde_json::Value;

use crate::common::{World, job};

#[test]
fn every_recorded_answer_of_kubectl_is_given() {
    let world = World::new();
    let recorded: Value =
        serde_json::from_str(include_str!("../data/kubectl-set.json")).expect("recorded answers");
    for (name, text) in recorded["files"].as_object().expect("files") {
        world.manifest(name, text.as_str().expect("a text"));
    }
    let rows = recorded["rows"].as_array().expect("rows");
    assert!(rows.len() > 70, "{} rows", rows.len());
    for row in rows {
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        let found = world.command(text("line")).stdin(text("stdin")).run();
        let error = text("stderr").replace("'kubectl ", "'jobctl ");
        assert_eq!((found.stdout.as_str(), found.stderr.as_str()), (text("stdout"), error.as_str()), "{row}");
        assert_eq!(i64::from(found.code), row["code"], "{row}");
    }
}

const CRON_JOB: &str = "
apiVersion: batch/v1
kind: CronJob
metadata: {name: c}
spec:
  schedule: '0 0 1 1 *'
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: old, command: ['true']}]
";

#[test]
fn stored_objects_are_changed_where_the_server_lets_them() {
    let world = World::new();
    let _ = world.apply(CRON_JOB);
    let _ = world.apply(&job("x", "suspend: true", "true"));
    let _ = world.run("create configmap cm --from-literal=a.b=1 --from-literal=C=2").success();
    let _ = world.run("create secret generic se --from-literal=K=v").success();
    let container = |path: &str| {
        world.value("cronjob c", &format!("'{{.spec.jobTemplate.spec.template.spec.containers[0]{path}}}'"))
    };
    for (line, code, stdout, stderr) in [
        ("set image cronjob/c main=new", 0, "cronjob.batch/c image updated\n", ""),
        ("set image cronjob/c main=new", 0, "", ""),
        ("set image cronjob/c main=dry --dry-run=client", 0, "cronjob.batch/c image updated (dry run)\n", ""),
        (
            "set image cronjob/c main=dry --dry-run=server",
            0,
            "cronjob.batch/c image updated (server dry run)\n",
            "",
        ),
        ("set env cronjobs --all A=1", 0, "cronjob.batch/c env updated\n", ""),
        ("set env cronjob/c --list", 0, "# CronJob c, container main\nA=1\n", ""),
        ("set env cronjob/c", 0, "", ""),
        (
            "set env cronjob/c --from=configmap/cm --prefix=P_",
            0,
            "cronjob.batch/c env updated\n",
            "Warning: key a.b transferred to A_B\n",
        ),
        ("set env cronjob/c --from=secret/se --keys=K A-", 0, "cronjob.batch/c env updated\n", ""),
        (
            "set env cronjob/c --list",
            0,
            "# CronJob c, container main\n# P_C from configmap cm, key C\n# P_A_B from configmap cm, key a.b\n# K from \
             secret se, key K\n",
            "",
        ),
        (
            "set env cronjob/c --from=secret/nope",
            1,
            "",
            "Error from server (NotFound): secrets \"nope\" not found\n",
        ),
        (
            "set resources cronjob c --limits=cpu=1 --requests=cpu=0.5",
            0,
            "cronjob.batch/c resource requirements updated\n",
            "",
        ),
        ("set image job/nope c=x", 1, "", "Error from server (NotFound): jobs.batch \"nope\" not found\n"),
        ("set image job/x nope=x", 1, "", "error: unable to find container named \"nope\"\n"),
        // No server is asked, so nobody says that the template is immutable.
        ("set image job/x '*=new' --dry-run=client", 0, "job.batch/x image updated (dry run)\n", ""),
    ] {
        world.run(line).is(code, stdout, stderr);
    }
    assert_eq!(container(".image"), "new");
    assert_eq!(container(".resources"), r#"{"limits":{"cpu":"1"},"requests":{"cpu":"500m"}}"#);
    for (line, words) in [
        ("set image job/x '*=new'", "failed to patch image update to pod template: "),
        ("set env job/x A=1", "failed to patch env update to pod template: "),
        ("set resources job/x --limits=cpu=1", "failed to patch resources update to pod template "),
    ] {
        let refused = world.run(line).failure();
        let expected = format!("error: {words}Job.batch \"x\" is invalid: spec.template: Invalid value: ");
        assert!(refused.stderr.starts_with(&expected), "{}", refused.stderr);
        assert!(refused.stderr.ends_with("field is immutable\n"), "{}", refused.stderr);
    }
    // One that fails leaves the others alone.
    let both = world.run("set image job/x cronjob/c '*=both'").failure();
    assert_eq!(both.stdout, "cronjob.batch/c image updated\n");
    assert_eq!(container(".image"), "both");
    let _ = world.run("delete cronjob c").success();
}
