//! `kubectl describe`: one object, its parts and its events as indented text.
//!
//! The functions write lines whose cells are separated by tabs; `tabulate` aligns them at the end. That is
//! how kubectl does it, and the alignment of neighbouring lines depends on it.

mod containers;
mod cronjob;
mod events;
mod job;
mod node;
mod pod;
mod related;
mod tabulate;
mod volumes;

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, TimeZone, Utc};
use k8s_openapi::api::core::v1::{Event, PodTemplateSpec, Toleration, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector as SelectorObject, ObjectMeta, Time};

pub use related::{Describe, Related};

use super::duration::rfc1123z;
use super::terminal::escaped;
use crate::api::selectors::LabelSelector;

const MAX_ANNOTATION: usize = 140;
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object described with what is `related` to it; no events means none happened, `None` leaves the section out.
pub fn object<T: Describe, Tz: TimeZone>(
    object: &T,
    related: &Related,
    events: Option<&[Event]>,
    now: DateTime<Utc>,
    zone: &Tz,
) -> String
where
    Tz::Offset: std::fmt::Display,
{
    let mut out = Output::new(now, zone);
    object.describe(&mut out, related);
    out.finish(events.filter(|_| T::HAS_EVENTS))
}

/// A pod template as `rollout history --revision` shows it: kubectl leaves its tabs as they are.
pub fn pod_template(template: &PodTemplateSpec) -> String {
    let mut out = Output::new(DateTime::UNIX_EPOCH, &chrono::Utc);
    out.pod_template(template);
    escaped(&out.text).into_owned()
}

/// The text so far, with tabs, and how to write times.
pub struct Output<'z> {
    text: String,
    now: DateTime<Utc>,
    /// The processes of running containers, by the containers' names.
    pids: BTreeMap<String, i32>,
    format_time: Box<dyn Fn(DateTime<Utc>) -> String + 'z>,
}

/// One line at a level of indentation; tabs separate its cells.
macro_rules! line {
    ($out:expr, $level:expr, $($format:tt)*) => {
        $out.line($level, format_args!($($format)*))
    };
}
use line;

impl<'z> Output<'z> {
    fn new<Tz: TimeZone>(now: DateTime<Utc>, zone: &'z Tz) -> Self
    where
        Tz::Offset: std::fmt::Display,
    {
        let pids = BTreeMap::new();
        Self { text: String::new(), now, pids, format_time: Box::new(move |time| rfc1123z(time, zone)) }
    }

    fn line(&mut self, level: usize, content: std::fmt::Arguments<'_>) {
        self.text.extend(std::iter::repeat_n("  ", level));
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(content);
        self.text.push('\n');
    }

    fn time(&self, time: Option<&Time>) -> String {
        match time {
            Some(time) => (self.format_time)(time.0),
            // Go's zero time, which upstream prints as it is.
            None => "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(),
        }
    }

    fn finish(mut self, events: Option<&[Event]>) -> String {
        if let Some(events) = events {
            events::describe(&mut self, events);
        }
        tabulate::tabulate(&escaped(&self.text))
    }

    /// Ours: what an object waits for, which kubectl does not know.
    fn waits(&mut self, waits: &[String]) {
        let mut head = "Waits For:";
        for wait in waits {
            line!(self, 0, "{head}\t{wait}");
            head = "";
        }
    }

    /// What most descriptions begin with; the namespace only where the kind has one.
    fn metadata(&mut self, meta: &ObjectMeta, is_namespaced: bool) {
        line!(self, 0, "Name:\t{}", meta.name.as_deref().unwrap_or_default());
        if is_namespaced {
            line!(self, 0, "Namespace:\t{}", meta.namespace.as_deref().unwrap_or_default());
        }
        self.labels("", "Labels", meta.labels.as_ref());
        self.annotations("", meta.annotations.as_ref());
    }

    /// `TITLE:` and one `k=v` per line, in their own column.
    fn labels(&mut self, indent: &str, title: &str, labels: Option<&BTreeMap<String, String>>) {
        self.labels_in(indent, title, "\t", labels);
    }

    fn labels_in(
        &mut self,
        indent: &str,
        title: &str,
        inner: &str,
        labels: Option<&BTreeMap<String, String>>,
    ) {
        let mut head = format!("{indent}{title}:{inner}");
        for (key, value) in labels.into_iter().flatten() {
            line!(self, 0, "{head}{key}={value}");
            head = inner.to_owned();
        }
        if labels.is_none_or(BTreeMap::is_empty) {
            line!(self, 0, "{head}<none>");
        }
    }

    fn annotations(&mut self, indent: &str, annotations: Option<&BTreeMap<String, String>>) {
        let mut head = format!("{indent}Annotations:\t");
        let mut any = false;
        for (key, value) in annotations.into_iter().flatten().filter(|(key, _)| *key != LAST_APPLIED) {
            any = true;
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.contains('\n') || key.len() + value.len() + 2 > MAX_ANNOTATION {
                line!(self, 0, "{head}{key}:");
                for part in value.split('\n') {
                    line!(self, 0, "\t  {}", shorten(part, MAX_ANNOTATION - 2));
                }
            } else {
                line!(self, 0, "{head}{key}: {value}");
            }
            head = "\t".to_owned();
        }
        if !any {
            line!(self, 0, "{head}<none>");
        }
    }

    fn controlled_by(&mut self, metadata: &ObjectMeta) {
        let mut owners = metadata.owner_references.iter().flatten();
        if let Some(owner) = owners.find(|owner| owner.controller == Some(true)) {
            line!(self, 0, "Controlled By:\t{}/{}", owner.kind, owner.name);
        }
    }

    fn node_selectors_and_tolerations(
        &mut self,
        indent: &str,
        selectors: Option<&BTreeMap<String, String>>,
        tolerations: Option<&Vec<Toleration>>,
    ) {
        self.labels(indent, "Node-Selectors", selectors);
        let mut tolerations: Vec<&Toleration> = tolerations.into_iter().flatten().collect();
        tolerations.sort_by_key(|t| t.key.as_deref().unwrap_or_default());
        let mut head = format!("{indent}Tolerations:\t");
        if tolerations.is_empty() {
            line!(self, 0, "{head}<none>");
        }
        for toleration in tolerations {
            line!(self, 0, "{head}{}", toleration_text(toleration));
            head = "\t".to_owned();
        }
    }

    fn topology_spread_constraints(
        &mut self,
        indent: &str,
        constraints: Option<&Vec<TopologySpreadConstraint>>,
    ) {
        let mut constraints: Vec<_> = constraints.into_iter().flatten().collect();
        constraints.sort_by_key(|c| &c.topology_key);
        let mut head = format!("{indent}Topology Spread Constraints:\t");
        for constraint in constraints {
            let selector = match &constraint.label_selector {
                Some(object) => match selector_text(object).as_str() {
                    "" => " for selector <none>".to_owned(),
                    selector => format!(" for selector {selector}"),
                },
                None => String::new(),
            };
            line!(
                self,
                0,
                "{head}{}:{} when max skew {} is exceeded{selector}",
                constraint.topology_key,
                constraint.when_unsatisfiable,
                constraint.max_skew
            );
            head = "\t".to_owned();
        }
    }

    fn pod_template(&mut self, template: &PodTemplateSpec) {
        line!(self, 0, "Pod Template:");
        let metadata = template.metadata.as_ref();
        self.labels("  ", "Labels", metadata.and_then(|m| m.labels.as_ref()));
        let annotations = metadata.and_then(|m| m.annotations.as_ref());
        if annotations.is_some_and(|a| !a.is_empty()) {
            self.annotations("  ", annotations);
        }
        let Some(spec) = &template.spec else { return };
        if let Some(account) = set(spec.service_account_name.as_ref()) {
            line!(self, 0, "  Service Account:\t{account}");
        }
        if let Some(init_containers) = spec.init_containers.as_ref().filter(|c| !c.is_empty()) {
            self.containers("Init Containers", init_containers, None, None, "  ");
        }
        self.containers("Containers", &spec.containers, None, None, "  ");
        self.volumes(spec.volumes.as_ref(), "  ");
        self.topology_spread_constraints("  ", spec.topology_spread_constraints.as_ref());
        if let Some(class) = set(spec.priority_class_name.as_ref()) {
            line!(self, 0, "  Priority Class Name:\t{class}");
        }
        self.node_selectors_and_tolerations("  ", spec.node_selector.as_ref(), spec.tolerations.as_ref());
    }
}

/// A text that is there and not empty; to upstream the two are one.
fn set(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn or_unset<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "<unset>".to_owned(), |value| value.to_string())
}

fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn selector_text(object: &SelectorObject) -> String {
    LabelSelector::from_object(object).map_or_else(|_| "<error>".to_owned(), |selector| selector.to_string())
}

/// Cuts at a byte as upstream does, but never inside a character.
fn shorten(text: &str, length: usize) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let end = (0..=length).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}...", &text[..end])
}

fn toleration_text(toleration: &Toleration) -> String {
    let mut text = toleration.key.clone().unwrap_or_default();
    let value = set(toleration.value.as_ref());
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
    if let Some(effect) = set(toleration.effect.as_ref()) {
        text.push(':');
        text.push_str(effect);
    }
    if toleration.operator.as_deref() == Some("Exists") && value.is_none() {
        text.push_str(if text.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if let Some(seconds) = toleration.toleration_seconds {
        let _ = write!(text, " for {seconds}s");
    }
    text
}

#[cfg(test)]
mod tests;
