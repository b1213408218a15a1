//! A Kubernetes API elsewhere: a kubeconfig is read, we prove who we are, and there is a connection. The cluster is `serve`.

mod interrupted_plugins;
mod overrides;
mod peers;
mod renewed_tokens;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use jobctl::cluster::{Access, Unreachable, Wanted};
use serde_json::{Value, json};

use self::peers::{Certificates, HttpProxy, SocksProxy, TlsServer};
use crate::api_client::Server;
use crate::common::World;

/// What a server answers to a GET.
async fn get(access: &Access, path: &str) -> anyhow::Result<(StatusCode, Value)> {
    let mut sender = access.connect().await?;
    let mut request = Request::builder()
        .method(Method::GET)
        .uri(format!("{}{path}", access.prefix()))
        .body(Full::new(Bytes::new()))?;
    *request.headers_mut() = access.headers().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&body)?))
}

/// The access that a kubeconfig gives.
fn access(world: &World, kubeconfig: &str) -> Access {
    let wanted = Wanted { kubeconfig: Some(world.path(kubeconfig)), ..Wanted::default() };
    Access::load(&wanted).expect("a kubeconfig")
}

/// Writes a changed copy of the server's kubeconfig as `work/k`.
fn kubeconfig(world: &World, change: impl FnOnce(&mut Value, &mut Value)) {
    let text = fs::read_to_string(world.path("kubeconfig")).expect("the server's kubeconfig");
    let mut config: Value = serde_yaml::from_str(&text).expect("YAML");
    let mut cluster = config["clusters"][0]["cluster"].take();
    let mut user = config["users"][0]["user"].take();
    change(&mut cluster, &mut user);
    config["clusters"][0]["cluster"] = cluster;
    config["users"][0]["user"] = user;
    world.manifest("k", config.to_string());
}

/// Writes a script into the working directory.
fn script(world: &World, name: &str, text: &str) {
    world.manifest(name, format!("#!/bin/sh\n{text}"));
    let path = world.path("work").join(name);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("make it a program");
}

/// A plugin's entry.
fn exec(command: &str) -> Value {
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never"}})
}

/// What a plugin prints.
fn credential(status: &str) -> String {
    format!(
        "printf '%s' '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\
         \"status\":'\"{}\"'}}'\n",
        status.replace('"', "\\\"")
    )
}

const NOTHING: &str = "No resources found in default namespace.\n";

#[tokio::test]
async fn a_server_is_found_by_its_kubeconfig() {
    let world = World::new();
    let _server = Server::start(&world);
    let access = access(&world, "kubeconfig");
    assert_eq!((access.context(), access.cluster()), ("jobctl", "jobctl"));
    let (status, version) = get(&access, "/version").await.expect("an answer");
    assert_eq!((status, &version["major"]), (StatusCode::OK, &Value::from("1")));
}

#[tokio::test]
async fn who_does_not_listen_is_said_in_one_sentence() {
    let world = World::new();
    let expected =
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?";
    world.manifest(
        "k",
        "{current-context: c, contexts: [{name: c, context: {cluster: c}}], \
         clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]}",
    );
    let error = access(&world, "work/k").connect().await.expect_err("nobody listens");
    let unreachable = error.downcast_ref::<Unreachable>().expect("a known error");
    assert!(unreachable.may_pass());
    assert_eq!(unreachable.to_string(), expected);
    world.run("--kubeconfig=k get jobs").is(1, "", &format!("{expected}\n"));
}

#[test]
fn files_of_a_list_are_merged_and_paths_go_from_their_files_on() {
    let world = World::new();
    let server = Server::start(&world);
    kubeconfig(&world, |cluster, user| {
        let data = cluster["certificate-authority-data"].take();
        let pem = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, data.as_str().expect("base64"));
        world.manifest("a/pki/ca.crt", pem.expect("base64"));
        world.manifest("b/token", format!("{}\n", user["token"].as_str().expect("a token")));
    });
    let port = server.port;
    world.manifest(
        "a/config",
        format!(
            "clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority: pki/ca.crt}}}}]\n"
        ),
    );
    world.manifest(
        "b/config",
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
         users: [{name: u, user: {tokenFile: token}}]\n\
         contexts: [{name: there, context: {cluster: c, user: u, namespace: team}}]\n",
    );
    let get = world.command("--context=there get jobs").env("KUBECONFIG", "missing:a/config:b/config");
    get.run().is(0, "", "No resources found in team namespace.\n");
    // What is a pipe can be read only once.
    let line = "--kubeconfig=/dev/stdin get -f job.yaml";
    world.manifest("job.yaml", crate::common::job("x", "", "true"));
    let config = "{current-context: c, contexts: [{name: c, context: {cluster: c}}], \
                  clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]}";
    let refused =
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n";
    world.command(line).stdin(config).run().is(1, "", refused);
    // One that was asked for must be there.
    world.run("--kubeconfig=missing --context=there get jobs").is(
        1,
        "",
        "error: stat missing: no such file or directory\n",
    );
    world.manifest("bad", "clusters: 3\n");
    let bad = world.command("--context=there get jobs").env("KUBECONFIG", "a/config:bad").run();
    bad.is(
        1,
        "",
        "error: error loading config file \"bad\": clusters: invalid type: integer `3`, expected a sequence\n",
    );
}

#[test]
fn a_plugin_says_who_we_are() {
    let world = World::new();
    let server = Server::start(&world);
    let token = &server.token;
    script(
        &world,
        "bin/plugin",
        &format!(
            "echo run >> runs; echo \"$1 $COLOUR $KUBERNETES_EXEC_INFO\" >&2\n{}",
            credential(&format!("{{\"token\":\"{token}\"}}"))
        ),
    );
    kubeconfig(&world, |cluster, user| {
        *user = exec("./bin/plugin");
        user["exec"]["args"] = json!(["one"]);
        user["exec"]["env"] = json!([{"name": "COLOUR", "value": "red"}]);
        user["exec"]["provideClusterInfo"] = json!(true);
        cluster["extensions"] =
            json!([{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "us"}}]);
    });
    let output = world.run("--kubeconfig=k get jobs,pods").success();
    let (words, info) = output.stderr.split_once(" {").expect("what the plugin was told");
    assert_eq!(words, "one red");
    let info: Value =
        serde_json::from_str(&format!("{{{}", info.lines().next().expect("a line"))).expect("JSON");
    assert_eq!(info["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(info["spec"]["interactive"], false);
    assert_eq!(info["spec"]["cluster"]["config"], json!({"audience": "us"}));
    assert_eq!(info["spec"]["cluster"]["server"], format!("https://127.0.0.1:{}", server.port));
    // However much is asked.
    assert_eq!(fs::read_to_string(world.path("work/runs")).expect("runs"), "run\n");
}

#[test]
fn a_token_that_is_refused_is_fetched_anew() {
    let world = World::new();
    let server = Server::start(&world);
    script(
        &world,
        "plugin",
        &format!(
            "token=wrong; test -e runs && token={}; echo run >> runs\n{}",
            server.token,
            credential("{\"token\":\"$token\"}")
        ),
    );
    kubeconfig(&world, |_, user| *user = exec("./plugin"));
    world.run("--kubeconfig=k get jobs").is(0, "", NOTHING);
    assert_eq!(fs::read_to_string(world.path("work/runs")).expect("runs"), "run\nrun\n");
    // One that is refused again is refused.
    kubeconfig(&world, |_, user| *user = json!({"token": "wrong"}));
    world.run("--kubeconfig=k get jobs").is(
        1,
        "",
        "error: You must be logged in to the server (Unauthorized)\n",
    );
}

#[tokio::test]
async fn a_token_that_has_expired_is_fetched_anew() {
    let world = World::new();
    let _server = Server::start(&world);
    for (expires, expected) in [("2020-01-01T00:00:00Z", 3), ("2999-01-01T00:00:00Z", 1)] {
        let status = format!("{{\"token\":\"t\",\"expirationTimestamp\":\"{expires}\"}}");
        let runs = world.path("work/runs");
        script(&world, "plugin", &format!("echo run >> {}\n{}", runs.display(), credential(&status)));
        kubeconfig(&world, |_, user| *user = exec("./plugin"));
        let access = access(&world, "work/k");
        for _ in 0..3 {
            assert_eq!(access.headers().await.expect("headers")["authorization"], "Bearer t");
        }
        let text = fs::read_to_string(&runs).expect("runs");
        assert_eq!(text.lines().count(), expected, "{expires}");
        fs::remove_file(&runs).expect("remove");
    }
}

#[test]
fn a_plugin_that_fails_is_told_in_kubectls_words() {
    let world = World::new();
    let _server = Server::start(&world);
    let getting = "Unable to connect to the server: getting credentials: ";
    script(&world, "fails", "echo oops >&2; exit 3\n");
    script(&world, "nothing", "true\n");
    world.manifest("unfit", "");
    for (command, expected) in [
        ("./fails", format!("oops\n{getting}exec: executable {} failed with exit code 3\n", "WORK/fails")),
        ("./nothing", format!("{getting}decoding stdout: nothing was printed\n")),
        ("./unfit", format!("{getting}exec: fork/exec {}: permission denied\n", "WORK/unfit")),
        (
            "no-such-plugin",
            format!(
                "{getting}exec: executable no-such-plugin not found\n\nThe kubeconfig names it as the program that \
                 proves who you are (a credential plugin), and it is not installed.\n\nInstall it so\n"
            ),
        ),
    ] {
        kubeconfig(&world, |_, user| {
            *user = exec(command);
            user["exec"]["installHint"] = json!("Install it so");
        });
        world.run("--kubeconfig=k get jobs").is(1, "", &expected);
    }
    kubeconfig(&world, |_, user| {
        *user = exec("./fails");
        user["exec"]["interactiveMode"] = json!("Always");
    });
    world.run("--kubeconfig=k get jobs").is(
        1,
        "",
        &format!("{getting}exec plugin cannot support interactive mode: standard input is not a terminal\n"),
    );
}

#[test]
fn a_proxy_is_gone_through() {
    let world = World::new();
    let server = Server::start(&world);
    let target = format!("127.0.0.1:{}", server.port);
    let proxy = HttpProxy::start("HTTP/1.1 200 OK");
    kubeconfig(&world, |cluster, _| cluster["proxy-url"] = json!(proxy.url("http", "me:pa%20ss@")));
    world.run("--kubeconfig=k get jobs").is(0, "", NOTHING);
    let asked = proxy.asked();
    assert!(asked.starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")), "{asked}");
    // me:pa ss
    assert!(asked.to_lowercase().contains("\r\nproxy-authorization: basic bwu6cgegc3m=\r\n"), "{asked}");

    let proxy = SocksProxy::start();
    kubeconfig(&world, |cluster, _| cluster["proxy-url"] = json!(proxy.url("me:pass@")));
    world.run("--kubeconfig=k get jobs").is(0, "", NOTHING);
    assert_eq!(proxy.asked(), format!("me pass {target}"));

    // This machine is never reached through what the environment names.
    let get = world
        .command("--kubeconfig=kubeconfig get jobs")
        .directory("")
        .env("HTTPS_PROXY", "http://127.0.0.1:1");
    get.run().is(0, "", NOTHING);
}

#[test]
fn a_proxy_that_does_not_help_is_not_taken_for_the_server() {
    let world = World::new();
    let server = Server::start(&world);
    let proxy = HttpProxy::start("HTTP/1.1 407 Who are you");
    let unable = "Unable to connect to the server: ";
    let target = format!("127.0.0.1:{}", server.port);
    for (url, expected) in [
        (
            proxy.url("http", ""),
            format!("proxyconnect tcp: the proxy 127.0.0.1:{} answers 407 Who are you", proxy.port),
        ),
        (
            "http://127.0.0.1:1".into(),
            "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused".into(),
        ),
        (
            "socks5://127.0.0.1:1".into(),
            format!(
                "socks connect tcp 127.0.0.1:1->{target}: dial tcp 127.0.0.1:1: connect: connection refused"
            ),
        ),
    ] {
        kubeconfig(&world, |cluster, _| cluster["proxy-url"] = json!(url));
        world.run("--kubeconfig=k get jobs").is(1, "", &format!("{unable}{expected}\n"));
    }
}

#[test]
fn a_server_must_be_the_one_that_is_meant() {
    let world = World::new();
    let server = Server::start(&world);
    let verify = "Unable to connect to the server: tls: failed to verify certificate: x509: ";
    let other = Certificates::new();
    kubeconfig(&world, |cluster, _| {
        cluster["certificate-authority-data"] =
            json!(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, other.authority.as_bytes()));
    });
    world.run("--kubeconfig=k get jobs").is(
        1,
        "",
        &format!("{verify}certificate signed by unknown authority\n"),
    );
    kubeconfig(&world, |cluster, _| cluster["tls-server-name"] = json!("elsewhere"));
    world.run("--kubeconfig=k get jobs").is(
        1,
        "",
        &format!("{verify}certificate is valid for localhost, not elsewhere\n"),
    );
    // Its certificate has that name, whatever the URL says.
    kubeconfig(&world, |cluster, _| cluster["tls-server-name"] = json!("localhost"));
    world.run("--kubeconfig=k get jobs").is(0, "", NOTHING);
    // Who names no authority means those that the machine trusts.
    kubeconfig(&world, |cluster, _| {
        let data = cluster["certificate-authority-data"].take();
        let pem = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, data.as_str().expect("base64"));
        world.manifest("trusted.pem", pem.expect("base64"));
    });
    let get = |trusted: &str| world.command("--kubeconfig=k get jobs").env("SSL_CERT_FILE", trusted).run();
    get("trusted.pem").is(0, "", NOTHING);
    world.manifest("other.pem", &other.authority);
    get("other.pem").is(1, "", &format!("{verify}certificate signed by unknown authority\n"));
    world.manifest("none.pem", "");
    get("none.pem").is(1, "", &format!("{verify}certificate signed by unknown authority\n"));
    kubeconfig(&world, |cluster, _| {
        cluster["insecure-skip-tls-verify"] = json!(true);
        cluster["certificate-authority-data"].take();
    });
    world.run("--kubeconfig=k get jobs").is(0, "", NOTHING);
    let plain = peers::without_tls();
    kubeconfig(&world, |cluster, _| cluster["server"] = json!(format!("https://127.0.0.1:{plain}")));
    world.run("--kubeconfig=k get jobs").is(
        1,
        "",
        "Unable to connect to the server: tls: first record does not look like a TLS handshake\n",
    );
    drop(server);
}

#[tokio::test]
async fn a_certificate_says_who_we_are() {
    let world = World::new();
    let certificates = Certificates::new();
    let (certificate, key) = certificates.client("me");
    world.manifest("me.crt", &certificate);
    world.manifest("me.key", &key);
    let status = json!({"clientCertificateData": certificate, "clientKeyData": key});
    let printed =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status});
    world.manifest("credential", printed.to_string());
    script(&world, "plugin", "cat \"$(dirname \"$0\")/credential\"\n");
    // A server may show one of the authorities' own certificates, too: `openssl req -x509` makes such.
    for server in [TlsServer::start(&certificates), TlsServer::with_its_own(&certificates)] {
        world.manifest("ca.crt", &server.known_by);
        let config = |user: &Value| {
            let config = json!({
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": server.url(), "certificate-authority": "ca.crt"}}],
                "users": [{"name": "u", "user": user}],
            });
            world.manifest("k", config.to_string());
        };
        for user in [json!({"client-certificate": "me.crt", "client-key": "me.key"}), exec("./plugin")] {
            config(&user);
            let (_, answer) = get(&access(&world, "work/k"), "/").await.expect("an answer");
            assert_eq!(answer, json!({"certificates": 2}), "{user}");
        }
        config(&json!({}));
        world.run("--kubeconfig=k get jobs").is(
            1,
            "",
            "Unable to connect to the server: remote error: tls: certificate required\n",
        );
    }
}
