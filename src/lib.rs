//! jobctl: kubectl's verbs over Kubernetes batch objects, with pods run as processes of this machine.
//!
//! The modules stand in import order: api -> {registry, controller, printers, kubelet::actions}
//! -> {store, cluster} -> {apiserver, kubelet} -> manager -> client -> serve -> cmd. docs/architecture.md describes the rooms and their laws.

pub mod api;
pub mod apiserver;
pub mod client;
pub mod cluster;
pub mod cmd;
pub mod controller;
pub mod kubelet;
pub mod manager;
pub mod printers;
pub mod registry;
pub mod serve;
pub mod store;
