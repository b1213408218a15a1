//! What kubectl says of the same kubeconfigs.

use std::path::Path;

use super::*;

fn problem(cluster: &str, user: &str) -> String {
    let text = format!(
        "current-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'https://a', {cluster}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    );
    let kubeconfig = Kubeconfig::parse(text.as_bytes(), Path::new("/")).expect("a kubeconfig");
    choose(&kubeconfig, &Wanted::default(), &|path| {
        path.ends_with("gone").then(|| "no such file or directory".into())
    })
    .err()
    .map(|error| error.to_string())
    .unwrap_or_default()
}

#[test]
fn clusters_that_contradict_themselves_are_refused() {
    for (cluster, expected) in [
        ("insecure-skip-tls-verify: true", ""),
        (
            "insecure-skip-tls-verify: true, certificate-authority: x",
            "specifying a root certificates file with the insecure flag is not allowed",
        ),
        (
            "certificate-authority-data: eHg=, certificate-authority: x",
            "certificate-authority-data and certificate-authority are both specified for c. \
             certificate-authority-data will override.",
        ),
        (
            "certificate-authority-data: eHg=, certificate-authority: gone",
            "Error in configuration: \n* certificate-authority-data and certificate-authority are both specified for c. \
             certificate-authority-data will override.\n* unable to read certificate-authority /gone for c due to open \
             /gone: no such file or directory",
        ),
        ("proxy-url: 'socks5://a'", ""),
        (
            "proxy-url: 'ftp://x'",
            "invalid 'proxy-url' \"ftp://x\" for cluster \"c\": unsupported scheme \"ftp\", must be http, https, or \
             socks5",
        ),
        (
            "proxy-url: '127.0.0.1:3128'",
            "invalid 'proxy-url' \"127.0.0.1:3128\" for cluster \"c\": could not parse: 127.0.0.1:3128",
        ),
    ] {
        assert_eq!(problem(cluster, ""), expected, "{cluster}");
    }
}

#[test]
fn users_that_contradict_themselves_are_refused() {
    for (user, expected) in [
        ("token: t", ""),
        (
            "token: t, username: a, password: b",
            "more than one authentication method found for u; found [token basicAuth], only one is allowed",
        ),
        (
            "client-certificate: x",
            "client-key-data or client-key must be specified for u to use the clientCert authentication method.",
        ),
        (
            "client-certificate: x, client-certificate-data: eHg=, client-key: k",
            "client-cert-data and client-cert are both specified for u. client-cert-data will override.",
        ),
        (
            "client-certificate: x, client-key: k, client-key-data: eHg=",
            "client-key-data and client-key are both specified for u; client-key-data will override",
        ),
        (
            "client-certificate: gone, client-key: k",
            "unable to read client-cert /gone for u due to open /gone: no such file or directory",
        ),
        // A key alone proves nothing, and does no harm.
        ("client-key: gone", ""),
        ("as-groups: [g]", "requesting uid, groups or user-extra for u without impersonating a user"),
        ("as: a, as-groups: [g], as-uid: '1', as-user-extra: {k: [v]}", ""),
    ] {
        assert_eq!(problem("", user), expected, "{user}");
    }
}

#[test]
fn plugins_that_cannot_be_run_are_refused() {
    let v1 = "apiVersion: client.authentication.k8s.io/v1";
    for (exec, expected) in [
        (format!("command: a, {v1}, interactiveMode: Never"), ""),
        (format!("command: a, {v1}beta1"), ""),
        (
            format!("command: a, {v1}"),
            "interactiveMode must be specified for u to use exec authentication plugin",
        ),
        (format!("command: a, {v1}, interactiveMode: Xx"), "invalid interactiveMode for u: \"Xx\""),
        (
            format!("{v1}, interactiveMode: Never"),
            "command must be specified for u to use exec authentication plugin",
        ),
        (
            format!("command: a, {v1}, interactiveMode: Never, env: [{{value: x}}]"),
            "env variable name must be specified for u to use exec authentication plugin",
        ),
        (
            format!("command: a, {v1}alpha1"),
            "exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\"",
        ),
        (
            "command: a".into(),
            "Error in configuration: \n* apiVersion must be specified for u to use exec authentication plugin\n* \
             interactiveMode must be specified for u to use exec authentication plugin",
        ),
    ] {
        assert_eq!(problem("", &format!("exec: {{{exec}}}")), expected, "{exec}");
    }
    assert_eq!(
        problem(
            "",
            &format!("auth-provider: {{name: oidc}}, exec: {{command: a, {v1}, interactiveMode: Never}}")
        ),
        "authProvider cannot be provided in combination with an exec plugin for u"
    );
}
