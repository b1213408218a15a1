//! `serve`: OpenAPI documents.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::api_client::Server;
use crate::common::World;

#[test]
fn documents_are_found_through_the_index_and_kept_by_their_hash() {
    let world = World::new();
    let server = Server::start(&world);
    let index = server.get("/openapi/v3");
    assert_eq!((index.status, index.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert_eq!(index.header("cache-control"), Some("no-cache, private"));
    let tag = index.header("etag").expect("a tag");
    assert_eq!(server.ask("GET", "/openapi/v3", &[("If-None-Match", tag)], &[]).status, 304);
    assert_eq!(server.ask("GET", "/openapi/v3", &[("If-None-Match", "\"x\"")], &[]).status, 200);
    let paths = index.json()["paths"].clone();
    let url = paths["apis/batch/v1"]["serverRelativeURL"].as_str().expect("a URL").to_owned();
    assert!(url.starts_with("/openapi/v3/apis/batch/v1?hash="), "{url}");

    let hashed = server.get(&url);
    assert_eq!((hashed.status, hashed.header("cache-control")), (200, Some("public, immutable")));
    let tag = hashed.header("etag").expect("a tag").to_owned();
    assert!(url.ends_with(tag.trim_matches('"')), "{tag}");
    let plain = server.get("/openapi/v3/apis/batch/v1");
    assert_eq!((plain.status, plain.header("cache-control")), (200, Some("no-cache, private")));
    assert_eq!(plain.body, hashed.body);
    assert_eq!(plain.json()["components"]["schemas"]["io.k8s.api.batch.v1.Job"]["type"], "object");
    assert_eq!(server.ask("GET", &url, &[("If-None-Match", &tag)], &[]).status, 304);

    let moved = server.get("/openapi/v3/apis/batch/v1?hash=WRONG");
    assert_eq!(
        (moved.status, moved.header("location"), moved.text().as_str()),
        (301, Some(url.as_str()), "")
    );
    assert_eq!(server.get("/openapi/v3/apis/nosuch").status, 404);
    let protobuf = [("Accept", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf")];
    assert_eq!(server.ask("GET", &url, &protobuf, &[]).status, 406);
    assert_eq!(server.ask("POST", "/openapi/v3", &[], &[]).status, 405);
    for (path, of) in paths.as_object().expect("paths") {
        let document = server.get(of["serverRelativeURL"].as_str().expect("a URL"));
        assert_eq!((document.status, &document.json()["openapi"]), (200, &"3.0.0".into()), "{path}");
    }
}

#[test]
fn documents_are_packed_for_whoever_can_unpack_them() {
    let world = World::new();
    let server = Server::start(&world);
    let path = "/openapi/v3/apis/batch/v1";
    let plain = server.get(path);
    assert_eq!(plain.header("content-encoding"), None);
    let packed = server.ask("GET", path, &[("Accept-Encoding", "br, gzip;q=0.5")], &[]);
    assert_eq!(
        (packed.header("content-encoding"), packed.header("etag")),
        (Some("gzip"), plain.header("etag"))
    );
    assert!(packed.body.len() * 4 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
    assert_eq!(gunzip(&packed.body), plain.body);
    let refused = server.ask("GET", path, &[("Accept-Encoding", "gzip;q=0, identity")], &[]);
    assert_eq!(refused.header("content-encoding"), None);
}

#[test]
fn the_older_document_comes_in_json_and_in_protobuf() {
    let world = World::new();
    let server = Server::start(&world);
    let json: Value = server.get("/openapi/v2").json();
    assert_eq!(json["swagger"], "2.0");
    assert_eq!(json["definitions"]["io.k8s.api.batch.v1.Job"]["type"], "object");
    let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let protobuf = server.ask("GET", "/openapi/v2", &[("Accept", accept)], &[]);
    let of = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    assert_eq!((protobuf.status, protobuf.header("content-type")), (200, Some(of)));
    // The version of the format is its first field.
    assert_eq!(&protobuf.body[..5], b"\x0a\x032.0");
    let html = server.ask("GET", "/openapi/v2", &[("Accept", "text/html")], &[]);
    assert_eq!((html.status, html.text().as_str()), (406, ""));
}

/// Unpacks with the program of that name.
fn gunzip(packed: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start gzip");
    let mut input = child.stdin.take().expect("a pipe");
    let packed = packed.to_vec();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, &packed));
    let output = child.wait_with_output().expect("gzip");
    writer.join().expect("a thread").expect("write");
    assert!(output.status.success(), "gzip: {}", output.status);
    output.stdout
}
