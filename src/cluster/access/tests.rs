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
    Access::new(&Kubeconfig::parse(TEXT.as_bytes(), Path::new("/etc"))?, wanted, |_| None)
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
        (named("lost"), "cluster \"none\" does not exist"),
        (Wanted { cluster: Some("x".into()), ..named("here") }, "cluster \"x\" does not exist"),
        (Wanted { user: Some("x".into()), ..named("here") }, "auth info \"x\" does not exist"),
    ] {
        assert_eq!(access(&wanted).expect_err(expected).to_string(), expected);
    }
}

/// One context of a cluster and a user.
fn one(cluster: &str, user: &str, variables: &[(&str, &str)]) -> Result<Access> {
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    );
    let kubeconfig = Kubeconfig::parse(text.as_bytes(), Path::new("/etc"))?;
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Access::new(&kubeconfig, &Wanted::default(), variable)
}

const SECURE: &str = "server: 'https://a:6443', insecure-skip-tls-verify: true";

#[tokio::test]
async fn headers_say_who_asks() {
    let user =
        "token: secret-token, as: somebody, as-uid: '1', as-groups: [g, h], as-user-extra: {a/B: [v, w]}";
    let headers = one(SECURE, user, &[]).expect("access").headers().await.expect("headers");
    let all = |name: &str| {
        headers.get_all(name).iter().map(|value| value.to_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    for (name, expected) in [
        ("host", &["a:6443"][..]),
        ("authorization", &["Bearer secret-token"]),
        ("impersonate-user", &["somebody"]),
        ("impersonate-uid", &["1"]),
        ("impersonate-group", &["g", "h"]),
        ("impersonate-extra-a%2fb", &["v", "w"]),
    ] {
        assert_eq!(all(name), expected, "{name}");
    }
    assert!(headers[AUTHORIZATION].is_sensitive());
    let headers = one(SECURE, "username: a, password: b", &[]).expect("access").headers().await;
    assert_eq!(headers.expect("headers")[AUTHORIZATION], "Basic YTpi");
}

#[tokio::test]
async fn no_credential_goes_over_a_wire_that_anybody_can_read() {
    let access = one("server: 'http://a'", "token: secret-token, as: somebody", &[]).expect("access");
    let headers = access.headers().await.expect("headers");
    assert!(!headers.contains_key(AUTHORIZATION));
    assert_eq!(headers["impersonate-user"], "somebody");
}

#[tokio::test]
async fn a_proxy_is_asked_for_what_is_not_secret() {
    let proxy = [("HTTP_PROXY", "http://u:p@proxy:3128")];
    let access = one("server: 'http://a:8001/x'", "", &proxy).expect("access");
    assert_eq!(access.prefix(), "http://a:8001/x");
    assert_eq!(access.headers().await.expect("headers")[PROXY_AUTHORIZATION], "Basic dTpw");
    let access = one("server: 'http://a:8001/x', proxy-url: 'socks5://proxy'", "", &proxy).expect("access");
    assert_eq!(access.prefix(), "/x");
    let error = one(SECURE, "", &[("HTTPS_PROXY", "ftp://a")]).expect_err("no proxy");
    assert_eq!(
        error.to_string(),
        "the proxy that the environment names: unsupported scheme \"ftp\", must be http, https, or socks5"
    );
}

#[tokio::test]
async fn the_token_of_a_file_is_read_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("token");
    let user = format!("tokenFile: {}", path.display());
    let error = one(SECURE, &user, &[]).expect_err("no file").to_string();
    assert_eq!(error, format!("open {}: no such file or directory", path.display()));
    let write = |text: &str| {
        #[expect(clippy::disallowed_methods, reason = "a file of the test")]
        std::fs::write(&path, text).expect("write");
    };
    // Until the file has one, the entry's own serves.
    let both = one(SECURE, &format!("{user}, token: own"), &[]).expect("access");
    assert_eq!(both.headers().await.expect("headers")[AUTHORIZATION], "Bearer own");
    write(" \n");
    let error = one(SECURE, &user, &[]).expect_err("nothing in it").to_string();
    assert_eq!(error, format!("read empty token from file {:?}", path.display().to_string()));
    write("first\n");
    let access = one(SECURE, &user, &[]).expect("access");
    write("second\n");
    assert_eq!(access.headers().await.expect("headers")[AUTHORIZATION], "Bearer first");
    assert!(access.forget_credential());
    assert_eq!(access.headers().await.expect("headers")[AUTHORIZATION], "Bearer second");
    assert!(!one(SECURE, "token: t", &[]).expect("access").forget_credential());
}

#[test]
fn providers_that_are_not_supported_are_named() {
    for (user, expected) in [
        ("auth-provider: {name: xyz}", "no Auth Provider found for name \"xyz\""),
        (
            "auth-provider: {name: gcp}, token: t",
            "auth-provider \"gcp\" is not supported: use the credential plugin gke-gcloud-auth-plugin under exec",
        ),
        ("auth-provider: {name: oidc}", "Must provide idp-issuer-url"),
    ] {
        assert_eq!(one(SECURE, user, &[]).expect_err(expected).to_string(), expected);
        assert!(one("server: 'http://a'", user, &[]).is_ok(), "nothing is proved there: {user}");
    }
}

#[test]
fn files_that_do_not_read_are_named() {
    for (cluster, user, expected) in [
        (
            "server: 'https://a', certificate-authority: none/ca",
            "",
            "unable to read certificate-authority /etc/none/ca for c due to open /etc/none/ca: no such file or directory",
        ),
        (
            SECURE,
            "client-certificate: none/crt, client-key: hosts",
            "unable to read client-cert /etc/none/crt for u due to open /etc/none/crt: no such file or directory",
        ),
        (
            "server: 'https://a', certificate-authority-data: eHg=",
            "",
            "unable to load root certificates: unable to parse bytes as PEM block",
        ),
        (
            SECURE,
            "client-certificate-data: eHg=, client-key-data: eHg=",
            "tls: failed to find any PEM data in certificate input",
        ),
    ] {
        assert_eq!(one(cluster, user, &[]).expect_err(expected).to_string(), expected);
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", access(&Wanted::default()).expect("access"));
    assert!(!shown.contains("secret-token") && shown.contains("REDACTED"), "{shown}");
}
