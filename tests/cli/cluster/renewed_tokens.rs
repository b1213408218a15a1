//! An id-token of `auth-provider: oidc` that has expired is renewed at its issuer and written down, as kubectl does, where there is
//! one to compare with.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::peers::{Certificates, Recorder, TokenIssuer};
use crate::common::World;

/// A token that ends so many seconds from now.
fn token(name: &str, seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let end = i64::try_from(now).expect("a time") + seconds;
    let claims = BASE64_URL_SAFE_NO_PAD.encode(format!("{{\"sub\":\"{name}\",\"exp\":{end}}}"));
    format!("e30.{claims}.c2ln")
}

struct Trial {
    world: World,
    server: Recorder,
    issuer: TokenIssuer,
    expired: String,
}

impl Trial {
    fn new(answering: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let world = World::new();
        let certificates = Certificates::new();
        let _ = world.manifest("authority.crt", &certificates.authority);
        let server = Recorder::start(&certificates, &[]);
        let issuer = TokenIssuer::start(&certificates, answering);
        let trial = Self { world, server, issuer, expired: token("old", -3600) };
        trial.write();
        trial
    }

    /// The kubeconfig, as a person writes it.
    fn text(&self) -> String {
        let ca = self.world.path("work/authority.crt").display().to_string();
        format!(
            "# mine\nkind: Config\napiVersion: v1\nusers:\n- name: u   # me\n  user:\n    auth-provider:\n      name: oidc\n      \
             config:\n        idp-issuer-url: {}\n        client-id: 'a b'\n        client-secret: s&t\n        \
             idp-certificate-authority: {ca}\n        refresh-token: first\n        id-token: {}\ncontexts: [{{name: c, \
             context: {{cluster: c, user: u}}}}]\ncurrent-context: c\nclusters:\n- {{name: c, cluster: {{server: \
             'https://127.0.0.1:{}', certificate-authority: {ca}}}}}\n",
            self.issuer.url(),
            self.expired,
            self.server.secure_port
        )
    }

    /// It is a link, as for those who keep their files elsewhere.
    fn write(&self) {
        let file = self.path("kept");
        fs::write(&file, self.text()).expect("write");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
        let _ = fs::remove_file(self.path("k"));
        symlink("kept", self.path("k")).expect("a link");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.path("work").join(name)
    }

    fn kept(&self) -> String {
        fs::read_to_string(self.path("kept")).expect("the kubeconfig")
    }

    /// What is said, and the exit code.
    fn ours(&self) -> (String, i32) {
        let output = self.world.run("--kubeconfig=k get jobs");
        (output.stderr, output.code)
    }

    fn kubectl(&self) -> Option<(String, i32)> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program =
            std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file());
        let Some(program) = program else {
            eprintln!("not compared: there is no kubectl here");
            return None;
        };
        let mut command = Command::new(program);
        command.args(["--kubeconfig=k", "get", "--raw=/version"]).env("HOME", self.world.path("home"));
        let output = command.current_dir(self.world.path("work")).output().expect("kubectl");
        let said = crate::kubeconfigs::without_log(&String::from_utf8_lossy(&output.stderr));
        Some((said, output.status.code().expect("a code")))
    }
}

const NOTHING: &str = "No resources found in default namespace.\n";

#[test]
fn a_token_that_has_expired_is_renewed_and_written_down() {
    let (id, later) = (Arc::new(token("new", 3600)), token("later", 3600));
    let sent = id.clone();
    let trial = Trial::new(move |_, _| {
        (
            200,
            format!(
                "{{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"refresh_token\":\"sec:ond\",\"id_token\":\"{sent}\"}}"
            ),
        )
    });
    assert_eq!(trial.ours(), (NOTHING.to_owned(), 0));
    assert_eq!(
        trial.issuer.asked(),
        [
            "GET /realm/.well-known/openid-configuration",
            // `a+b:s%26t`
            "POST /token?a=b Basic YStiOnMlMjZ0 grant_type=refresh_token&refresh_token=first",
        ]
    );
    assert_eq!(trial.server.heard(), [format!("TLS - - authorization=Bearer {id}")]);
    let expected = trial.text().replace(&trial.expired, &id).replace(": first", ": sec:ond");
    assert_eq!(trial.kept(), expected);
    assert_eq!(fs::metadata(trial.path("kept")).expect("the file").permissions().mode() & 0o7777, 0o640);
    assert!(fs::symlink_metadata(trial.path("k")).expect("the link").is_symlink());
    let mut names: Vec<_> =
        fs::read_dir(trial.path("")).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["authority.crt", "k", "kept"]);
    // It is the next command's, too.
    assert_eq!(trial.ours(), (NOTHING.to_owned(), 0));
    assert!(trial.issuer.asked().is_empty());
    // One that somebody else has written down meanwhile does as well.
    let _ = trial.server.heard();
    fs::write(trial.path("kept"), trial.text().replace(&trial.expired, &later)).expect("write");
    assert_eq!(trial.ours(), (NOTHING.to_owned(), 0));
    assert_eq!(trial.server.heard(), [format!("TLS - - authorization=Bearer {later}")]);
    trial.write();
    let Some(theirs) = trial.kubectl() else { return };
    assert_eq!(theirs, (String::new(), 0));
    assert!(trial.kept().contains(id.as_str()), "kubectl has written something else: {}", trial.kept());
}

/// Some want to be told in the body who asks.
#[test]
fn an_issuer_may_want_the_client_in_the_body() {
    let id = token("new", 3600);
    let sent = id.clone();
    let trial = Trial::new(move |line, _| match line.contains(" Basic ") {
        true => (401, "{\"error\":\"invalid_client\"}".to_owned()),
        false => {
            (200, format!("{{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"id_token\":\"{sent}\"}}"))
        }
    });
    assert_eq!(trial.ours(), (NOTHING.to_owned(), 0));
    assert_eq!(
        trial.issuer.asked().last().map(String::as_str),
        Some(
            "POST /token?a=b client_id=a+b&client_secret=s%26t&grant_type=refresh_token&refresh_token=first"
        )
    );
    assert_eq!(trial.kept(), trial.text().replace(&trial.expired, &id));
}

#[test]
fn an_issuer_that_refuses_is_told_of_and_nothing_is_written() {
    for (code, body, expected) in [
        (
            400,
            "{\"error\":\"invalid_grant\",\"error_description\":\"no more\"}",
            "Unable to connect to the server: failed to refresh token: oauth2: \"invalid_grant\" \"no more\"\n",
        ),
        (
            200,
            "{\"token_type\":\"Bearer\"}",
            "Unable to connect to the server: failed to refresh token: oauth2: server response missing access_token\n",
        ),
    ] {
        let trial = Trial::new(move |_, _| (code, body.to_owned()));
        assert_eq!(trial.ours(), (expected.to_owned(), 1));
        assert_eq!(trial.kept(), trial.text());
        if let Some(theirs) = trial.kubectl() {
            assert_eq!(theirs, (expected.to_owned(), 1));
        }
    }
}

/// A refresh-token may serve once only. Of two commands the later finds what the first has got.
#[test]
fn who_comes_second_takes_what_the_first_has_got() {
    let id = token("new", 3600);
    let place = Arc::new(std::sync::Mutex::new((PathBuf::new(), String::new())));
    let of_issuer = place.clone();
    let trial = Trial::new(move |_, _| {
        let (file, text) = &*of_issuer.lock().expect("the place");
        fs::write(file, text).expect("write");
        (400, "{\"error\":\"invalid_grant\"}".to_owned())
    });
    *place.lock().expect("the place") = (trial.path("kept"), trial.text().replace(&trial.expired, &id));
    assert_eq!(trial.ours(), (NOTHING.to_owned(), 0));
    assert_eq!(trial.server.heard(), [format!("TLS - - authorization=Bearer {id}")]);
}

/// As kubectl does while somebody else writes the file; and what has been got is not lost without a word.
#[test]
fn what_cannot_be_written_down_is_an_error() {
    let id = token("new", 3600);
    let trial = Trial::new(move |_, _| {
        (200, format!("{{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"id_token\":\"{id}\"}}"))
    });
    fs::write(trial.path("kept.lock"), "").expect("write");
    let lock = trial.path("kept.lock").display().to_string();
    let expected =
        format!("Unable to connect to the server: could not persist new tokens: open {lock}: file exists\n");
    assert_eq!(trial.ours(), (expected, 1));
    assert_eq!(trial.kept(), trial.text());
}
