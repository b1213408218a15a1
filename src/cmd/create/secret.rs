//! `create secret generic`, `create secret docker-registry` and `create secret tls`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::sources::SourceArgs;
use super::{Options, create_or_show, hash, key_pair, one_name};
use crate::api::errno::errno_text;
use crate::api::kinds::Kind;
use crate::api::names;
use crate::cmd::context::Global;

const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// Create a Secret
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    #[command(name = "docker-registry")]
    DockerRegistry(DockerArgs),
    Generic(GenericArgs),
    Tls(TlsArgs),
}

/// Create a Secret from files, directories and literal values
#[derive(Debug, clap::Args)]
struct GenericArgs {
    /// The Secret's name
    name: Vec<String>,
    /// The type of the Secret
    #[arg(long = "type", value_name = "TYPE")]
    type_: Option<String>,
    #[command(flatten)]
    sources: SourceArgs,
    #[command(flatten)]
    options: Options,
}

/// Create a Secret with the account of a container registry
#[derive(Debug, clap::Args)]
struct DockerArgs {
    /// The Secret's name
    name: Vec<String>,
    /// The user of the registry
    #[arg(long)]
    docker_username: Option<String>,
    /// The password of the user
    #[arg(long)]
    docker_password: Option<String>,
    /// The mail address of the user
    #[arg(long)]
    docker_email: Option<String>,
    /// The registry
    #[arg(long, default_value = "https://index.docker.io/v1/")]
    docker_server: String,
    /// The configuration file of a registry's client
    #[arg(long, value_name = "[KEY=]FILE")]
    from_file: Vec<String>,
    /// Append a hash of the contents to the name
    #[arg(long)]
    append_hash: bool,
    #[command(flatten)]
    options: Options,
}

/// Create a Secret with a certificate and its key
#[derive(Debug, clap::Args)]
struct TlsArgs {
    /// The Secret's name
    name: Vec<String>,
    /// The file with the certificate, in PEM
    #[arg(long)]
    cert: Option<String>,
    /// The file with the private key, in PEM
    #[arg(long)]
    key: Option<String>,
    /// Append a hash of the contents to the name
    #[arg(long)]
    append_hash: bool,
    #[command(flatten)]
    options: Options,
}

/// Creates a Secret.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::DockerRegistry(args) => docker_registry(global, args),
        What::Generic(args) => generic(global, args),
        What::Tls(args) => tls(global, args),
    }
}

fn generic(global: &Global, args: &GenericArgs) -> Result<ExitCode> {
    let name = one_name(&args.name, "secret generic")?;
    let mut secret = Secret::new(name, args.type_.as_deref().unwrap_or_default());
    args.sources.read("secret", &mut |key, bytes| secret.add(key, bytes))?;
    secret.create(global, args.sources.append_hash, &args.options)
}

fn docker_registry(global: &Global, args: &DockerArgs) -> Result<ExitCode> {
    let name = one_name(&args.name, "secret docker-registry")?;
    let mut secret = Secret::new(name, "kubernetes.io/dockerconfigjson");
    let user = args.docker_username.as_deref().unwrap_or_default();
    let password = args.docker_password.as_deref().unwrap_or_default();
    if args.from_file.is_empty() {
        if user.is_empty() || password.is_empty() || args.docker_server.is_empty() {
            bail!(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server is \
                 required"
            );
        }
        let account = account(user, password, args.docker_email.as_deref().unwrap_or_default())?;
        let server = hash::go_json(&json!(args.docker_server));
        secret.add(DOCKER_CONFIG, format!("{{\"auths\":{{{server}:{account}}}}}").into_bytes())?;
    } else {
        // A file without a key is the configuration, whatever it is called.
        let named = args.from_file.iter().map(|source| match source.contains('=') {
            true => source.clone(),
            false => format!("{DOCKER_CONFIG}={source}"),
        });
        let sources = SourceArgs { from_file: named.collect(), ..SourceArgs::default() };
        sources.read("secret", &mut |key, bytes| secret.add(key, bytes))?;
    }
    secret.create(global, args.append_hash, &args.options)
}

/// An account as a client of registries stores it.
fn account(user: &str, password: &str, email: &str) -> Result<String> {
    let together = serde_json::to_value(ByteString(format!("{user}:{password}").into_bytes()))?;
    let field = |name: &str, value: &Value| format!("\"{name}\":{}", hash::go_json(value));
    let mut fields = vec![field("username", &json!(user)), field("password", &json!(password))];
    if !email.is_empty() {
        fields.push(field("email", &json!(email)));
    }
    fields.push(field("auth", &together));
    Ok(format!("{{{}}}", fields.join(",")))
}

fn tls(global: &Global, args: &TlsArgs) -> Result<ExitCode> {
    let name = one_name(&args.name, "secret tls")?;
    let (Some(cert), Some(key)) = (&args.cert, &args.key) else { bail!("key and cert must be specified") };
    let mut secret = Secret::new(name, "kubernetes.io/tls");
    let read = |path: &str| {
        std::fs::read(path)
            .map_err(|error| anyhow::anyhow!("Cannot read file {path}, open {path}: {}", errno_text(&error)))
    };
    let (cert, key) = (read(cert)?, read(key)?);
    key_pair::check(&cert, &key)?;
    secret.add("tls.crt", cert)?;
    secret.add("tls.key", key)?;
    secret.create(global, args.append_hash, &args.options)
}

/// A Secret that is being put together.
struct Secret {
    name: String,
    type_: String,
    data: BTreeMap<String, ByteString>,
}

impl Secret {
    fn new(name: &str, type_: &str) -> Self {
        Self { name: name.to_owned(), type_: type_.to_owned(), data: BTreeMap::new() }
    }

    /// Adds an entry; which sources there are has been told by whoever names it.
    fn add(&mut self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let problems = names::config_key(key);
        if !problems.is_empty() {
            bail!("{key:?} is not valid key name for a Secret {}", problems.join(";"));
        }
        if self.data.insert(key.to_owned(), ByteString(bytes)).is_some() {
            bail!("cannot add key {key}, another key by that name already exists");
        }
        Ok(())
    }

    fn create(self, global: &Global, append_hash: bool, options: &Options) -> Result<ExitCode> {
        let Self { mut name, type_, data } = self;
        if append_hash {
            let contents = json!({"kind": "Secret", "type": type_, "name": name, "data": data});
            name = format!("{name}-{}", hash::of(&contents));
        }
        let mut value = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"creationTimestamp": null, "name": name},
        });
        if !data.is_empty() {
            value["data"] = json!(data);
        }
        if !type_.is_empty() {
            value["type"] = json!(type_);
        }
        create_or_show(global, Kind::Secret, &name, value, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_written_as_registries_want_them() {
        assert_eq!(
            account("u<", "p", "e@x").expect("an account"),
            "{\"username\":\"u\\u003c\",\"password\":\"p\",\"email\":\"e@x\",\"auth\":\"dTw6cA==\"}"
        );
    }
}
