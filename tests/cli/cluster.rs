//! `cluster`: a kubeconfig is read, and there is a connection to the server that it names.

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use jobctl::cluster::{Access, Unreachable, Wanted};
use serde_json::Value;

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
    std::fs::write(
        world.path("kubeconfig"),
        "{current-context: c, contexts: [{name: c, context: {cluster: c}}], \
         clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]}",
    )
    .expect("write");
    let error = access(&world, "kubeconfig").connect().await.expect_err("nobody listens");
    let unreachable = error.downcast_ref::<Unreachable>().expect("a known error");
    assert!(unreachable.may_pass());
    assert_eq!(
        unreachable.to_string(),
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"
    );
}
