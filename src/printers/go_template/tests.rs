use super::*;

#[test]
fn every_recorded_output_of_kubectl_is_made() {
    let recorded: Value = serde_json::from_str(include_str!("../../../tests/data/go-templates.json"))
        .expect("recorded outputs");
    let rows = recorded["rows"].as_array().expect("rows");
    assert!(rows.len() > 70, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let template = row["template"].as_str().expect("a template");
        let made = GoTemplate::parse(template).map_err(|error| (String::new(), error)).and_then(|parsed| {
            parsed.execute(&recorded["object"]).map_err(|failed| (failed.printed, failed.error))
        });
        let (stdout, error) = match made {
            Ok(text) => (text, Value::Null),
            Err((printed, error)) => (printed, error.to_string().into()),
        };
        let expected = row["stdout"].as_str().expect("an output");
        // Of what helps to debug only the beginning is recorded: the rest is the object.
        let is_same = if error.is_null() { stdout == expected } else { stdout.starts_with(expected) };
        if !is_same || error != row["error"] {
            wrong.push(format!(
                "{template}\n  expected {expected:?} {}\n  found    {stdout:?} {error}",
                row["error"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_here_is_named() {
    for (template, reason) in [
        ("{{define \"x\"}}a{{end}}", "{{define}} is not supported: there is one template"),
        ("a\n{{block \"x\" .}}a{{end}}", "{{block}} is not supported: there is one template"),
        ("{{js .x}}", "function \"js\" of Go's templates is not supported"),
        ("{{call .x}}", "function \"call\" of Go's templates is not supported"),
        ("{{break}}", "{{break}} outside {{range}}"),
    ] {
        let line = 1 + template.matches('\n').count();
        let error = GoTemplate::parse(template).expect_err(template).to_string();
        assert_eq!(error, format!("error parsing template {template}, template: output:{line}: {reason}"));
    }
}

#[test]
fn no_template_is_too_deep_to_be_refused() {
    let parentheses = format!("{{{{{}.x{}}}}}", "(".repeat(50_000), ")".repeat(50_000));
    let blocks = "{{if .x}}".repeat(50_000);
    let chained = format!("{{{{if .x}}}}{}{{{{end}}}}", "{{else if .x}}".repeat(50_000));
    for (template, reason) in [
        (parentheses, "parentheses are nested too deeply"),
        (blocks, "blocks are nested too deeply"),
        (chained, "blocks are nested too deeply"),
    ] {
        let error = GoTemplate::parse(&template).expect_err("too deep").to_string();
        assert!(error.ends_with(reason), "{}", &error[error.len() - 80..]);
    }
}
