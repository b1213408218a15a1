//! get: the formats that a template or a style makes.

use crate::common::{World, job};

#[test]
fn go_templates_print_objects_and_lists() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true\nparallelism: 2", "true"));
    let _ = world.apply(&job("two", "suspend: true", "true"));
    let names = "{{range .items}}{{.metadata.name}}={{.spec.parallelism}} {{end}}";
    for line in [
        format!("get jobs -o 'go-template={names}'"),
        format!("get jobs.v1.batch -o 'template={names}' --chunk-size=1"),
        format!("get jobs -o go-template --template='{names}'"),
        format!("get jobs --template='{names}'"),
    ] {
        world.run(&line).prints("one=2 two=1 ");
    }
    let file = world.manifest("t.tmpl", "{{with .spec}}{{.parallelism}}{{end}}{{\"\\n\"}}");
    world.run(&format!("get job one -o go-template-file={file}")).prints("2\n");
    world.run(&format!("get job one -o templatefile --template={file}")).prints("2\n");
    for (line, error) in [
        ("get job one -o go-template", "error: template format specified but no template given\n"),
        (
            "get job one -o 'go-template={{.a'",
            "error: error parsing template {{.a, template: output:1: unclosed action\n",
        ),
        (
            "get job one -o 'go-template={{define \"x\"}}{{end}}'",
            "error: error parsing template {{define \"x\"}}{{end}}, template: output:1: {{define}} is not supported: there \
             is one template\n",
        ),
        (
            "get --raw /api/v1/pods",
            "error: --raw /api/v1/pods: there is no API server that could answer; objects are shown by: jobctl get TYPE -o \
             json\n",
        ),
    ] {
        world.run(line).fails_with(error);
    }
    let failed = world.run("get job one -o 'go-template=a{{len .spec.suspend}}'").failure();
    let reason = "template: output:1:3: executing \"output\" at <len .spec.suspend>: error calling len: len of type bool";
    assert_eq!(
        failed.stderr,
        format!("error: error executing template \"a{{{{len .spec.suspend}}}}\": {reason}\n")
    );
    let printed = format!("aError executing template: {reason}. Printing more information");
    assert!(failed.stdout.starts_with(&printed), "{}", failed.stdout);
}

#[test]
fn kyaml_is_taken_back() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true\necho 'a: b'"));
    let text = world.run("get job one -o kyaml").success().stdout;
    assert!(
        text.starts_with("---\n{\n  apiVersion: \"batch/v1\",\n  kind: \"Job\",\n  metadata: {\n"),
        "{text}"
    );
    let path = world.manifest("one.yaml", &text);
    world.run(&format!("replace -f {path}")).prints("job.batch/one replaced\n");
    assert_eq!(world.run("get job one -o kyaml").success().stdout, text, "nothing has changed");
    let list = world.run("get jobs -o kyaml").success().stdout;
    assert!(list.contains("  items: [{\n    apiVersion: \"batch/v1\",\n"), "{list}");
    assert!(list.contains("\n  }],\n  kind: \"List\",\n"), "{list}");
}

#[test]
fn a_template_may_be_told_that_every_key_must_be_there() {
    let world = World::new();
    let _ = world.apply(&job("x", "suspend: true", "true"));
    let strict = "get job x --allow-missing-template-keys=false";
    for (format, key) in [
        (
            "go-template='[{{.metadata.nope}}]'",
            "executing \"output\" at <.metadata.nope>: map has no entry for key \"nope\"",
        ),
        ("go-template='[{{.metadata.nope.x}}]'", "at <.metadata.nope.x>: map has no entry for key \"nope\""),
        ("jsonpath='[{.metadata.nope}]'", "Error executing template: nope is not found."),
        ("jsonpath='{.metadata..zz}'", "Error executing template: zz is not found."),
        ("jsonpath-as-json='{.spec.nope.x}'", "Error executing template: nope is not found."),
    ] {
        let failed = world.run(&format!("{strict} -o {format}")).exits(1);
        assert!(failed.stderr.contains(key), "{format}: {}", failed.stderr);
        assert!(!world.run(&format!("get job x -o {format}")).success().stdout.contains("error"));
    }
    let first = world.run(&format!("{strict} -o go-template='[{{{{.metadata.nope}}}}]'")).exits(1);
    let said = "error: error executing template \"[{{.metadata.nope}}]\": template: output:1:12: executing \"output\" at \
                <.metadata.nope>: map has no entry for key \"nope\"\n";
    assert_eq!(first.stderr, said);
    world.run(&format!("{strict} -o jsonpath='{{.metadata.name}}'")).prints("x");
    world.run(&format!("{strict} -o go-template='{{{{index .metadata \"nope\"}}}}'")).prints("<no value>");
    let labelled =
        world.run("label job x a=b --allow-missing-template-keys=false -o jsonpath={.nope}").exits(1);
    assert!(labelled.stderr.contains("nope is not found"), "{}", labelled.stderr);
    for verb in ["patch job x -p {}", "replace -f x.yaml"] {
        world.manifest("x.yaml", job("x", "suspend: true", "true"));
        world.run(&format!("{verb} --subresource=scale")).fails_with(
            "error: --subresource=scale is read by get; to change it: jobctl scale --replicas=COUNT TYPE/NAME\n",
        );
    }
}
