//! Manifests over HTTP, from a server of the test's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::common::{World, job};

/// Serves until the process ends: `/job.yaml`, `/moved` leads there, `/large` is too large, `/broken` fails.
fn serve(manifest: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let mut line = String::new();
            let _ = reader.read_line(&mut line);
            let mut header = String::from(".");
            while !header.trim().is_empty() {
                header.clear();
                let _ = reader.read_line(&mut header);
            }
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            let answer = match path.as_str() {
                "/job.yaml" => {
                    format!(
                        "200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{manifest}",
                        manifest.len()
                    )
                }
                "/moved" => {
                    "302 Found\r\nLocation: /job.yaml\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        .into()
                }
                "/loop" => {
                    "302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into()
                }
                "/broken" => {
                    "500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into()
                }
                "/large" => {
                    let mut writer = &stream;
                    let _ = writer.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                    let line = [b'#'; 1 << 16];
                    // Until the client has had enough.
                    while writer.write_all(&line).is_ok() {}
                    continue;
                }
                _ => "404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into(),
            };
            let mut writer = &stream;
            let _ = writer.write_all(format!("HTTP/1.1 {answer}").as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn manifests_are_read_from_urls() {
    let world = World::new();
    let url = serve(job("one", "suspend: true", "true"));
    world.run(&format!("apply -f {url}/job.yaml")).prints("job.batch/one created\n");
    world.run(&format!("get -f {url}/moved -o name")).prints("job.batch/one\n");
    world.run(&format!("delete -f {url}/job.yaml")).prints("job.batch \"one\" deleted\n");
    for (path, error) in [
        ("nope", "server reported 404 Not Found, status code=404"),
        ("broken", "server reported 500 Internal Server Error, status code=500"),
    ] {
        world
            .run(&format!("create -f {url}/{path}"))
            .fails_with(&format!("error: unable to read URL \"{url}/{path}\", {error}\n"));
    }
    let output = world.run(&format!("create -f {url}/loop")).failure();
    assert!(output.stderr.starts_with(&format!("error: Get \"{url}/loop\": ")), "{}", output.stderr);
    let output = world.run(&format!("create -f {url}/large")).failure();
    assert!(output.stderr.contains("the manifest is larger than the limit of 64 MiB"), "{}", output.stderr);
    let output = world.run("create -f https://127.0.0.1:1/x.yaml").failure();
    assert!(
        output.stderr.contains("The connection to the server 127.0.0.1:1 was refused"),
        "{}",
        output.stderr
    );
}
