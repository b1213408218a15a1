use super::*;

#[test]
fn names_are_read_as_container_runtimes_read_them() {
    for (text, expected) in [
        ("busybox", "docker.io/library/busybox "),
        ("busybox:1.36", "docker.io/library/busybox 1.36"),
        ("me/app", "docker.io/me/app "),
        ("localhost/app:x", "localhost/app x"),
        ("localhost:5000/a/b:V1_2", "localhost:5000/a/b V1_2"),
        ("ghcr.io/o/p-q__r.s", "ghcr.io/o/p-q__r.s "),
        (
            "alpine@sha256:0123456789abcdef0123456789abcdef",
            "docker.io/library/alpine sha256:0123456789abcdef0123456789abcdef",
        ),
        ("alpine@sha256:12", "-"),
        ("alpine@", "-"),
        ("UPPER", "-"),
        ("with space", "-"),
        ("a..b", "-"),
        ("a:", "-"),
        ("a:-x", "-"),
        ("/a", "-"),
        ("a/", "-"),
        ("", "-"),
        ("exa mple.com/a", "-"),
    ] {
        let read = ImageName::parse(text).map_or("-".to_owned(), |name| {
            format!("{} {}", name.repository, name.version.unwrap_or_default())
        });
        assert_eq!(read, expected, "{text}");
    }
}

#[test]
fn the_first_that_fits_counts_and_base_images_are_known() {
    let mut images = Images::default();
    for (name, command) in
        [("me/app:1.*", "one"), ("me/app", "any"), ("*/tool-*", "tool"), ("python:2", "python2")]
    {
        assert!(images.set(Image { image: name.into(), command: vec![command.into()], ..Image::default() }));
    }
    let runs = |image: &str| {
        images.find(image).map_or("-".to_owned(), |found| [found.command, found.args].concat().join(" "))
    };
    for (image, expected) in [
        ("me/app:1.2", "one"),
        ("me/app:2", "any"),
        ("docker.io/me/app", "any"),
        ("quay.io/me/app", "-"),
        ("registry.example.com/x/tool-a:3", "tool"),
        ("python:2", "python2"),
        ("python:3.12-slim", "python3"),
        ("registry.k8s.io/busybox", "sh"),
        ("docker.io/library/perl:5.34.0", "perl -de0"),
        ("me/python", "-"),
        ("redis", "-"),
        ("No Image", "-"),
    ] {
        assert_eq!(runs(image), expected, "{image}");
    }
    assert!(!images.set(Image { image: "me/app".into(), ..Image::default() }), "in the place of another");
    assert!(images.remove("me/app") && !images.remove("me/app"));
}
