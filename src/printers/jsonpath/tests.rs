//! Every worked example was run against kubectl 1.32.

use super::*;
use serde_json::json;

fn demo() -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "demo", "labels": {"app": "web", "batch.kubernetes.io/job-name": "demo", "k": "v"}},
        "spec": {
            "parallelism": 2,
            "suspend": false,
            "backoffLimitPerIndex": 0,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {"name": "a", "image": "busybox:1", "args": ["x", "y z"],
                            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "two"}],
                            "resources": {"limits": {"cpu": "500m"}}},
                        {"name": "b", "image": "alpine", "args": []},
                        {"name": "c", "image": "busybox:2", "ports": [{"containerPort": 80}, {"containerPort": 443}]},
                    ],
                    "nodeSelector": {},
                    "tolerations": [],
                },
            },
        },
        "status": {"conditions": [
            {"type": "Complete", "status": "True", "reason": "R1"},
            {"type": "Failed", "status": "False"},
        ]},
    })
}

fn run(template: &str, object: &Value) -> Result<String, String> {
    // The tables write C for the path of the containers.
    let template = template.replace("{C", "{.spec.template.spec.containers");
    let template = template.replace("range C", "range .spec.template.spec.containers");
    Template::parse(&template).and_then(|t| t.execute(object)).map_err(|e| e.to_string())
}

#[test]
fn expressions_print_what_kubectl_prints() {
    let object = demo();
    for (template, expected) in [
        ("{.metadata.name}", "demo"),
        ("{$.metadata.name}", "demo"),
        ("{@.metadata.name}", "demo"),
        ("{ .metadata.name }", "demo"),
        ("{.metadata .name}", "demo"),
        (".metadata.name", ".metadata.name"),
        ("{.spec.parallelism}", "2"),
        ("{.spec.suspend}{.spec.backoffLimitPerIndex}", "false0"),
        ("{.metadata.labels}", r#"{"app":"web","batch.kubernetes.io/job-name":"demo","k":"v"}"#),
        (r"{.metadata.labels.batch\.kubernetes\.io/job-name}", "demo"),
        (r"{.metadata.labels['batch\.kubernetes\.io/job-name']}", "demo"),
        ("{.metadata.labels['batch.kubernetes.io/job-name']}", ""),
        ("{.metadata.nope.deeper}", ""),
        ("{C[0].name}", "a"),
        ("{C[-1].name}", "c"),
        ("{C[*].name}", "a b c"),
        ("{C[0:2].name}", "a b"),
        ("{C[1:].name}", "b c"),
        ("{C[::2].name}", "a c"),
        ("{C[0,2].name}", "a c"),
        ("{C[-2:].name}", "b c"),
        ("{C[3:3].name}", ""),
        ("{C.name}", ""),
        ("{C[*]['name','image']}", "a b c busybox:1 alpine busybox:2"),
        ("{..name}", "demo a A B b c"),
        ("{..image}", "busybox:1 alpine busybox:2"),
        ("{C[0]..name}", "a A B"),
        (
            "{..metadata.labels}",
            r#"{"app":"web","batch.kubernetes.io/job-name":"demo","k":"v"} {"app":"web"}"#,
        ),
        (r#"{.status.conditions[?(@.type=="Complete")].status}"#, "True"),
        (r"{.status.conditions[?(@.type=='Complete')].status}", "True"),
        (r#"{.status.conditions[?(.type=="Complete")].type}"#, "Complete"),
        (r#"{.status.conditions[?(@.type!="Complete")].type}"#, "Failed"),
        ("{.status.conditions[?(@.reason)].type}", "Complete"),
        (r#"{.status.conditions[?(@.type=="Nope")].status}"#, ""),
        (
            r#"{.status.conditions[?(@.type=="Complete")]}"#,
            r#"{"reason":"R1","status":"True","type":"Complete"}"#,
        ),
        ("{C[?(@.ports)].name}", "c"),
        (r#"{C[?(@.name>"a")].name}"#, "b c"),
        ("{C[2].ports[?(@.containerPort>=80)].containerPort}", "80 443"),
        ("{C[2].ports[?(@.containerPort>100)].containerPort}", "443"),
        ("{C[2].ports[?(@.containerPort==443)].containerPort}", "443"),
        (r#"{range C[*]}{.name}{"\t"}{.image}{"\n"}{end}"#, "a\tbusybox:1\nb\talpine\nc\tbusybox:2\n"),
        ("{range C[*]}{.name}:{range .env[*]}{.name},{end};{end}", "a:A,B,;b:;c:;"),
        ("{range .status.conditions[*]}[{.type},{.status}] {end}", "[Complete,True] [Failed,False] "),
        ("{range .items[*]}{.metadata.name}{end}", ""),
        ("{range C[*]}{.name}", "abc"),
        ("{range C[*]}{.name}{.kind}", "abcJob"),
        ("{range C[*]}{.name}{range .ports[*]}[{.containerPort}]{end};", "a;b;c[80][443];;"),
        ("Name: {.metadata.name} Kind: {.kind}", "Name: demo Kind: Job"),
        (r#"{"hello"} {.kind}"#, "hello Job"),
        ("{.metadata.name}}", "demo}"),
        ("{C[0].args}", r#"["x","y z"]"#),
        ("{C[0].args[*]}", "x y z"),
        ("{C[0].env[*]}", r#"{"name":"A","value":"1"} {"name":"B","value":"two"}"#),
        ("{C[0].resources.limits.*}", "500m"),
        ("{.spec.template.spec.nodeSelector}", "{}"),
        ("{.spec.template.spec.tolerations}", "[]"),
        ("{true}", "true"),
        ("{1}", "1"),
        ("{+1}", "1"),
        ("{1.5}", "1.5"),
        ("{.}", ""),
        ("{.metadata.labels.app.*}", "119 101 98"),
        ("{.a&}", ""),
        ("{...app}", "web web"),
        (r#"{"a" "b"}{.kind}"#, "bJob"),
        (r#"{.kind "x"}"#, "x"),
        (r#"{"a\"b"}{'a\'b'}{'\x41\u0042\103'}"#, "a\"ba'bABC"),
        ("{range}{.kind}{end}", "Job"),
        ("{range .nope[*]}{.a[0]}{end}x", "x"),
        ("{range .nope[*]}{.a[?(@.x)]}{end}x", "x"),
        ("{range C[*]}{range .nope[*]}{.x}{end}{.name};{end}E", "a;b;c;E"),
        (r"{.metadata.name}\n", r"demo\n"),
        ("}", "}"),
    ] {
        assert_eq!(run(template, &object), Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn the_whole_object_is_printed_as_json() {
    let object = json!({"b": [1.50, 1.0e3, 1e21, null], "a": "<&>"});
    for template in ["{@}", "{}", "{$}"] {
        assert_eq!(
            run(template, &object),
            Ok(r#"{"a":"\u003c\u0026\u003e","b":[1.5,1000,1e+21,null]}"#.to_owned()),
            "{template}"
        );
    }
    assert_eq!(run("{.a} {.b[*]}", &object), Ok("<&> 1.5 1000 1e+21 null".to_owned()));
    assert_eq!(
        run("{[*]}", &json!([1, "a", true, null, {"x": 1}])),
        Ok("1 a true null {\"x\":1}".to_owned())
    );
}

#[test]
fn mistakes_in_a_template_are_named_as_kubectl_names_them() {
    for (template, reason) in [
        (r#"{.metadata.labels["app"]}"#, r#"invalid array index "app""#),
        ("{.metadata.labels[a]}", "invalid array index a"),
        ("{.a['b]}", "invalid array index 'b"),
        ("{.a[(@.length-1)].name}", "invalid array index (@.length-1)"),
        ("{.metadata.name", "unclosed action"),
        ("{.a}{", "unclosed action"),
        ("{.metadata.name,.kind}", "unrecognized character in action: U+002C ','"),
        (r#"{.a[?(@.name=="a" && @.image=="x")].name}"#, "unrecognized character in action: U+0026 '&'"),
        (r#"{.a[?(@.name=~"a")]}"#, "unrecognized character in action: U+007E '~'"),
        ("{\t.a}", "unrecognized character in action: U+0009"),
        ("{{.a}}", "unrecognized character in action: U+007B '{'"),
        (r#"{.a[?(@.name=="a")"#, "unclosed array expect ]"),
        ("{.a[0}", "unterminated array"),
        ("{\"a", "unterminated quoted string"),
        ("{.a[-].name}", "array index - is not a number"),
        ("{.a[?(@.name==)].name}", "unrecognized character in action: U+003D '='"),
        ("{1.2.3}", "cannot parse number 1.2.3"),
        (r#"{"\q"}"#, r#"unquote string "\q" error invalid syntax"#),
    ] {
        let expected = format!("error parsing jsonpath {template}, {reason}");
        assert_eq!(run(template, &demo()), Err(expected), "{template}");
    }
    assert_eq!(run("", &demo()), Err("template format specified but no template given".to_owned()));
}

#[test]
fn mistakes_in_evaluation_are_named_as_kubectl_names_them() {
    let object = demo();
    for (template, reason) in [
        ("{metadata.name}", "unrecognized identifier metadata"),
        ("{true}{null}", "unrecognized identifier null"),
        ("{C[9].name}", "array index out of bounds: index 9, length 3"),
        ("{C[0:99].name}", "array index out of bounds: index 98, length 3"),
        ("{C[-5]}", "array index out of bounds: index -2, length 3"),
        ("{.spec.template.spec.tolerations[0].key}", "array index out of bounds: index 0, length 0"),
        ("{.spec[0]}", "map[string]interface {} is not array or slice"),
        ("{.metadata.name[0]}", "string is not array or slice"),
        ("{.spec.parallelism[0]}", "int64 is not array or slice"),
        ("{C[::0]}", "step must be > 0"),
        ("{C[1:0]}", "starting index 1 is greater than ending index 0"),
        ("{.status.conditions[?(@.status==True)].type}", "unrecognized identifier True"),
        ("{C[?(@.name==1)]}", "incompatible types for comparison"),
        ("{C[?(@.args==1)]}", "invalid type for comparison"),
        ("{C[?(@.name===1)]}", "unrecognized filter operator ==="),
        (
            "{.metadata[?(@.a)]}",
            "map[labels:map[app:web batch.kubernetes.io/job-name:demo k:v] name:demo] is not array or slice and \
             cannot be filtered",
        ),
        ("{end}", "not in range, nothing to end"),
    ] {
        let error = run(template, &object).unwrap_err();
        let expected = format!(": Error executing template: {reason}. Printing more information");
        assert!(error.contains(&expected), "{template}: {error}");
    }
    assert_eq!(
        run("{.a[?(@.x==\"y\")]}", &json!({"a": 1})).unwrap_err(),
        "error executing jsonpath \"{.a[?(@.x==\\\"y\\\")]}\": Error executing template: 1 is not array or slice and \
         cannot be filtered. Printing more information for debugging the template:\n\
         \ttemplate was:\n\
         \t\t{.a[?(@.x==\"y\")]}\n\
         \tobject given to jsonpath engine was:\n\
         \t\tmap[string]interface {}{\"a\":1}\n\n"
    );
}

#[test]
fn as_json_each_part_is_a_list() {
    let object = json!({"items": [{"n": "p1"}, {"n": "p2"}]});
    for (template, expected) in [
        ("{.items[*].n}", "[\n    \"p1\",\n    \"p2\"\n]\n"),
        ("{.nope}", "[]\n"),
        ("x{.items[0]}", "[\n    \"x\"\n]\n[\n    {\n        \"n\": \"p1\"\n    }\n]\n"),
        ("{range .items[*]}{.n}{end}", "[\n    \"p1\"\n]\n[\n    \"p2\"\n]\n"),
    ] {
        assert_eq!(
            Template::parse(template).unwrap().execute_as_json(&object).unwrap(),
            expected,
            "{template}"
        );
    }
}

#[test]
fn relaxed_paths_may_leave_out_braces_and_dot() {
    let object = demo();
    for path in [".metadata.name", "metadata.name", "{.metadata.name}", "{metadata.name}"] {
        let template = Template::parse_relaxed(path).unwrap();
        assert_eq!(template.text(), "{.metadata.name}");
        assert_eq!(template.find(&object).unwrap(), [Cow::Owned::<Value>("demo".into())]);
    }
    let wrong = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                 '{.name1.name2}'";
    for path in ["{a}{b}", "{.a", "{}"] {
        assert_eq!(Template::parse_relaxed(path).unwrap_err().to_string(), wrong, "{path}");
    }
    assert_eq!(relaxed(".").unwrap(), "{..}");
    assert_eq!(Template::parse_relaxed(".a[").unwrap_err().to_string(), "unterminated array");
}

#[test]
fn what_multiplies_is_bounded() {
    let object = json!({"items": (0..100).collect::<Vec<_>>()});
    let nested = format!("{}{}", "{range .items[*]}".repeat(5_000), "{end}".repeat(5_000));
    for template in [&nested, &"{range .items[*]}".repeat(5_000)] {
        let error = Template::parse(template).expect_err("too deep").to_string();
        assert!(error.ends_with(", more than 32 ranges inside each other"), "{error}");
    }
    let started = std::time::Instant::now();
    for template in [
        "{range .items[*]}x".repeat(32),
        "{range $.items[*]}{$.items[*]}".repeat(8),
        format!("{{{}}}", "..[*]".repeat(20)),
    ] {
        let deep =
            json!({"items": [[[[[[[[[[[[object.clone()], 1], 2], 3], 4], 5], 6], 7], 8], 9], 10], 11]});
        let parsed = Template::parse(&template).expect(&template);
        let _ = parsed.find(&deep).map(|found| assert!(found.len() < 10_000_000));
        let _ = parsed.find(&object).map(|found| assert!(found.len() < 10_000_000));
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let repeated = Template::parse("{range .items[*]}{range .items}{end}{end}").expect("a template");
    assert!(repeated.find(&object).is_ok(), "ranges that end do not add up");
    let flat = Template::parse(&"{range .items[*]}{@}{end}".repeat(1_000)).expect("one after another");
    assert!(flat.find(&object).is_ok());
}
