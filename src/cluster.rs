//! A Kubernetes API elsewhere: where a kubeconfig says that it is, who we are there, and a connection to it.
//!
//! Owns: which files a kubeconfig is read from and what it means, credentials (certificates, tokens, plugins), proxies, TLS
//! and HTTP/1.1 connections. Must not: know what is asked over a connection, write into a kubeconfig anything but a renewed
//! id-token, or touch this machine's store. Nothing of it runs unless a command has named a context.

mod access;
mod choice;
mod connect;
mod credential;
mod decode;
mod files;
mod id_token;
mod kubeconfig;
mod kubeconfig_edit;
mod oidc;
mod plugin;
mod plugin_process;
mod proxy;
mod secret;
mod server;
mod tls;
mod unreachable;
mod view;

pub use access::{Access, Wanted};
pub use choice::Misconfigured;
pub use kubeconfig::{Cluster, Context, Kubeconfig, User};
pub use plugin_process::{end_plugins, end_plugins_for_good};
pub use secret::Secret;
pub use unreachable::Unreachable;

/// What we call ourselves.
const USER_AGENT: &str = concat!("jobctl/", env!("CARGO_PKG_VERSION"));
