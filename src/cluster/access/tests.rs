//! Whom a kubeconfig makes us, and where.

use std::path::Path;

use super::*;

const TEXT: &str = "
apiVersion: v1
kind: Config
current-context: here
contexts:
- {name: here, context: {cluster: a, user: u, namespace: team}}
- {name: there, context: {cluster: b, user: nobody}}
- {name: lost, context: {cluster: none, user: u}}
clusters:
- {name: a, cluster: {server: 'http://127.0.0.1:8001/a/'}}
- {name: b, cluster: {server: 'http://b.example'}}
users:
- {name: u, user: {token: secret-token, as: somebody}}
- {name: v, user: {}}
";

fn access(wanted: &Wanted) -> Result<Access> {
    Access::new(&Kubeconfig::parse(TEXT.as_bytes(), Path::new("/etc"))?, wanted)
}

fn named(context: &str) -> Wanted {
    Wanted { context: Some(context.to_owned()), ..Wanted::default() }
}

#[test]
fn a_context_says_where_and_who() {
    let here = access(&Wanted::default()).expect("the current one");
    assert_eq!((here.context(), here.cluster(), here.namespace()), ("here", "a", Some("team")));
    assert_eq!((here.server(), here.prefix()), ("http://127.0.0.1:8001/a", "/a"));
    let there = access(&named("there")).expect("another");
    assert_eq!((there.server(), there.namespace()), ("http://b.example", None));
    let mixed = access(&Wanted { cluster: Some("b".into()), ..named("here") }).expect("with another cluster");
    assert_eq!((mixed.server(), mixed.namespace()), ("http://b.example", Some("team")));
}

#[test]
fn what_is_not_there_is_named() {
    for (wanted, expected) in [
        (named("x"), "context \"x\" does not exist"),
        (named("lost"), "no server found for cluster \"none\""),
        (Wanted { cluster: Some("x".into()), ..named("here") }, "no server found for cluster \"x\""),
        (Wanted { user: Some("x".into()), ..named("here") }, "auth info \"x\" does not exist"),
    ] {
        assert_eq!(access(&wanted).expect_err(expected).to_string(), expected);
    }
}

#[tokio::test]
async fn headers_say_who_asks() {
    let headers = access(&Wanted::default()).expect("access").headers().await.expect("headers");
    assert_eq!(headers[HOST], "127.0.0.1:8001");
    assert_eq!(headers[AUTHORIZATION], "Bearer secret-token");
    assert_eq!(headers["impersonate-user"], "somebody");
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", access(&Wanted::default()).expect("access"));
    assert!(!shown.contains("secret-token") && shown.contains("REDACTED"), "{shown}");
}
