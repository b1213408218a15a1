//! Which stored objects a command line means.

use anyhow::Result;

use super::failure::verbatim;
use super::resources::Target;
use crate::api::status_error::StatusError;
use crate::apiserver::Read;
pub(super) use crate::apiserver::{Found, Selectors};
use crate::store::Table;

/// The stored tables of some kinds.
pub(super) fn tables(targets: &[Target]) -> Vec<Table> {
    let mut tables: Vec<Table> = targets.iter().map(|target| Table::from(target.kind())).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

/// The objects that targets name, in order, and what could not be found.
pub(super) fn resolve<'a>(
    reader: &'a impl Read,
    targets: &[Target],
    namespace: &str,
    all_namespaces: bool,
    selectors: &Selectors,
) -> Result<(Vec<Found<'a>>, Vec<anyhow::Error>)> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for target in targets {
        match target {
            Target::All(kind) => {
                match reader.list(*kind, (!all_namespaces).then_some(namespace), selectors) {
                    Ok(listed) => found.extend(listed),
                    // Who may not see one kind in a cluster may see others.
                    Err(error) => match error.downcast_ref() {
                        Some(refusal @ StatusError::Other { .. }) => {
                            missing.push(selectors.refused(*kind, refusal).into());
                        }
                        _ => return Err(error),
                    },
                }
            }
            Target::Named(kind, name) => {
                if !selectors.is_empty() {
                    return Err(name_and_selector());
                }
                if all_namespaces {
                    return Err(verbatim(
                        "error: a resource cannot be retrieved by name across all namespaces",
                    ));
                }
                sort_out(reader.get(*kind, &kind.key(namespace, name)), &mut found, &mut missing)?;
            }
            Target::Object(kind, key) => {
                selectors.check(*kind)?;
                let got = reader.get(*kind, key);
                let is_selected = match &got {
                    Ok(one) => selectors.is_empty() || selectors.matches(*kind, &one.text)?,
                    Err(_) => true,
                };
                if is_selected {
                    sort_out(got, &mut found, &mut missing)?;
                }
            }
        }
    }
    Ok((found, missing))
}

/// What selects among the objects that are meant.
///
/// # Errors
/// What is no selector, in the words in which a server refuses it.
pub(super) fn selectors(
    arguments: &[String],
    targets: &[Target],
    label: Option<&str>,
    field: Option<&str>,
) -> Result<Selectors> {
    let is_given = |selector: Option<&str>| selector.is_some_and(|selector| !selector.is_empty());
    if (is_given(label) || is_given(field)) && arguments.iter().any(|argument| argument.contains('/')) {
        return Err(slashed_and_selected());
    }
    match targets.first() {
        Some(target) => Selectors::parse_for(target.kind(), label, field),
        None => Selectors::parse(label, field),
    }
}

/// The error for objects that are both named, with a slash, and to be selected.
pub(super) fn slashed_and_selected() -> anyhow::Error {
    anyhow::anyhow!("selectors and the all flag cannot be used when passing resource/name arguments")
}

/// The error for objects that are both named and to be selected.
pub(super) fn name_and_selector() -> anyhow::Error {
    verbatim("error: name cannot be provided when a selector is specified")
}

/// Tells an object that is not there from a store that does not read.
fn sort_out<'a>(
    got: Result<Found<'a>>,
    found: &mut Vec<Found<'a>>,
    missing: &mut Vec<anyhow::Error>,
) -> Result<()> {
    match got {
        Ok(one) => found.push(one),
        Err(error) if error.is::<StatusError>() => missing.push(error),
        Err(error) => return Err(error),
    }
    Ok(())
}
