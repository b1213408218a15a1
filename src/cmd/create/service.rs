//! `create service`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{Options, create_or_show, one_name};
use crate::api::kinds::Kind;
use crate::api::names;
use crate::api::number::parse_port;
use crate::cmd::context::Global;

/// Create a Service
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    #[command(name = "clusterip")]
    ClusterIp(ClusterIpArgs),
    #[command(name = "externalname")]
    ExternalName(ExternalNameArgs),
    #[command(name = "loadbalancer")]
    LoadBalancer(LoadBalancerArgs),
    #[command(name = "nodeport")]
    NodePort(NodePortArgs),
}

/// Create a Service with an address, or without one: --clusterip=None
#[derive(Debug, clap::Args)]
struct ClusterIpArgs {
    #[command(flatten)]
    common: Common,
    /// The address; None for a headless Service
    #[arg(long)]
    clusterip: Option<String>,
}

/// Create a Service that is another name for a host
#[derive(Debug, clap::Args)]
struct ExternalNameArgs {
    #[command(flatten)]
    common: Common,
    /// The name of the host
    #[arg(long)]
    external_name: Option<String>,
}

/// Create a Service that asks for a load balancer
#[derive(Debug, clap::Args)]
struct LoadBalancerArgs {
    #[command(flatten)]
    common: Common,
}

/// Create a Service with a port of the node
#[derive(Debug, clap::Args)]
struct NodePortArgs {
    #[command(flatten)]
    common: Common,
    /// The port of the node; picked where it is 0
    #[arg(long, default_value_t = 0)]
    node_port: i32,
}

#[derive(Clone, Debug, clap::Args)]
struct Common {
    /// The Service's name
    name: Vec<String>,
    /// A port, and the pods' port where that is another
    #[arg(long, value_delimiter = ',', value_name = "PORT[:TARGETPORT]")]
    tcp: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Creates a Service.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::ClusterIp(args) => {
            let ip = args.clusterip.as_deref().filter(|ip| !ip.is_empty());
            let spec = ip.map_or_else(|| json!({}), |ip| json!({"clusterIP": ip}));
            create(global, &args.common, "ClusterIP", ip != Some("None"), 0, spec)
        }
        What::ExternalName(args) => {
            let Some(host) = &args.external_name else { bail!("required flag(s) \"external-name\" not set") };
            create(global, &args.common, "ExternalName", false, 0, json!({"externalName": host}))
        }
        What::LoadBalancer(args) => create(global, &args.common, "LoadBalancer", true, 0, json!({})),
        What::NodePort(args) => create(global, &args.common, "NodePort", true, args.node_port, json!({})),
    }
}

fn create(
    global: &Global,
    args: &Common,
    type_: &str,
    wants_ports: bool,
    node_port: i32,
    mut spec: Value,
) -> Result<ExitCode> {
    let name = one_name(&args.name, &format!("service {}", type_.to_lowercase()))?;
    if wants_ports && args.tcp.is_empty() {
        bail!("at least one tcp port specifier must be provided");
    }
    let ports = args.tcp.iter().map(|text| port(text, node_port)).collect::<Result<Vec<Value>>>()?;
    if !ports.is_empty() {
        spec["ports"] = json!(ports);
    }
    let labels = json!({"app": name});
    spec["selector"] = labels.clone();
    spec["type"] = json!(type_);
    let value = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"creationTimestamp": null, "labels": labels, "name": name},
        "spec": spec,
        "status": {"loadBalancer": {}},
    });
    create_or_show(global, Kind::Service, name, value, &args.options)
}

/// Reads `PORT[:TARGETPORT]`.
fn port(text: &str, node_port: i32) -> Result<Value> {
    let mut parts = text.split(':');
    let number = parts.next().unwrap_or_default();
    let port = parse_port(number).map_err(anyhow::Error::msg)?;
    let target = match parts.next() {
        None => json!(port),
        Some(target) => match target.parse::<i64>() {
            Ok(number) if (1..=65535).contains(&number) => json!(number),
            Ok(_) => bail!("must be between 1 and 65535, inclusive"),
            Err(_) => {
                let problems = names::port_name(target);
                if !problems.is_empty() {
                    bail!("{}", problems.join(","));
                }
                json!(target)
            }
        },
    };
    let mut value =
        json!({"name": text.replace(':', "-"), "port": port, "protocol": "TCP", "targetPort": target});
    if node_port != 0 {
        value["nodePort"] = json!(node_port);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_kubectl_reads_them() {
        for (text, expected) in [
            ("80", Ok(json!({"name": "80", "port": 80, "protocol": "TCP", "targetPort": 80}))),
            ("80:http", Ok(json!({"name": "80-http", "port": 80, "protocol": "TCP", "targetPort": "http"}))),
            ("80:81:82", Ok(json!({"name": "80-81-82", "port": 80, "protocol": "TCP", "targetPort": 81}))),
            ("x", Err("strconv.ParseUint: parsing \"x\": invalid syntax")),
            ("99999", Err("strconv.ParseUint: parsing \"99999\": value out of range")),
            ("80:999999", Err("must be between 1 and 65535, inclusive")),
            ("80:A_b", Err("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")),
        ] {
            let found = port(text, 0).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        }
    }
}
