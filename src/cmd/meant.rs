//! A bare name where kubectl takes a type or a pod: what it names, should it be a Job or a CronJob.

use anyhow::Result;

use super::context::{Context, Global};
use super::failure::text;
use super::output::complain;
use crate::api::kinds::Kind;
use crate::apiserver::Source as _;
use crate::store::Table;

/// The verbs that take what is named, and of which kinds.
const VERBS: &[(&str, &[Kind])] = &[
    ("annotate", &[Kind::Job, Kind::CronJob]),
    ("attach", &[Kind::Job]),
    ("delete", &[Kind::Job, Kind::CronJob]),
    ("describe", &[Kind::Job, Kind::CronJob]),
    ("edit", &[Kind::Job, Kind::CronJob]),
    ("exec", &[Kind::Job]),
    ("get", &[Kind::Job, Kind::CronJob]),
    ("label", &[Kind::Job, Kind::CronJob]),
    ("logs", &[Kind::Job, Kind::CronJob]),
    ("next", &[Kind::CronJob]),
    ("patch", &[Kind::Job, Kind::CronJob]),
    ("port-forward", &[Kind::Job]),
    ("rerun", &[Kind::Job]),
    ("resume", &[Kind::Job, Kind::CronJob]),
    ("scale", &[Kind::Job]),
    ("suspend", &[Kind::Job, Kind::CronJob]),
    ("wait", &[Kind::Job]),
];

/// The word that has been taken for a type, or for a pod.
fn mistaken(sentence: &str) -> Option<&str> {
    let about_type = sentence.strip_prefix("error: the server doesn't have a resource type \"");
    let rest = about_type.or_else(|| {
        let about_pod = sentence.split_once("(NotFound): pods \"");
        about_pod.map(|(_, rest)| rest).filter(|rest| rest.contains("\" not found"))
    })?;
    rest.split('"').next().filter(|word| !word.is_empty())
}

/// Says which line would work, where there is one. Nobody has asked: what goes wrong here is not told.
pub(super) fn advise(global: &Global, path: &str, error: &anyhow::Error) {
    let sentence = text(error);
    let verb = path.split(' ').next_back().unwrap_or_default();
    let kinds = VERBS.iter().find(|(name, _)| *name == verb).map(|(_, kinds)| *kinds);
    if let (Some(kinds), Some(word)) = (kinds, mistaken(&sentence))
        && let Ok(Some(kind)) = named(global, kinds, word)
    {
        complain(&format!("Did you mean: {path} {}/{word}", kind.resource().singular));
    }
}

/// Of which kind the object of that name is.
fn named(global: &Global, kinds: &[Kind], word: &str) -> Result<Option<Kind>> {
    let context = Context::open(global)?;
    let tables: Vec<Table> = kinds.iter().map(|kind| Table::from(*kind)).collect();
    let reader = context.client.read(&tables)?;
    for kind in kinds {
        if reader.entry(Table::from(*kind), &kind.key(&context.namespace, word))?.is_some() {
            return Ok(Some(*kind));
        }
    }
    Ok(None)
}
