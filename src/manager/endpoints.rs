//! EndpointSlices and Endpoints: shown as Services and pods are now, without being stored.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use super::Config;
use super::world::fill;
use crate::api::ObjectMeta;
use crate::api::kinds::Key;
use crate::api::meta::key;
use crate::apiserver::unversioned;
use crate::controller::World;
use crate::controller::endpoints::{endpoint_slices, endpoints_of_services};
use crate::store::{Change, State, Table};

/// The tables that they are made of.
pub const MADE_OF: [Table; 2] = [Table::SERVICES, Table::PODS];

/// What has been told of them to somebody who follows what becomes of them.
#[derive(Debug)]
pub(super) struct Made {
    config: Config,
    tables: Vec<Table>,
    told: BTreeMap<(Table, Key), Value>,
}

impl Made {
    /// Nothing yet of those among the tables. What they are made of is added to the tables.
    pub(super) fn of(config: &Config, tables: &mut Vec<Table>) -> Option<Self> {
        let is_made = |table: &Table| [Table::ENDPOINTS, Table::ENDPOINT_SLICES].contains(table);
        let made: Vec<Table> = tables.iter().copied().filter(is_made).collect();
        if made.is_empty() {
            return None;
        }
        tables.extend(MADE_OF);
        tables.sort_unstable();
        tables.dedup();
        Some(Self { config: config.clone(), tables: made, told: BTreeMap::new() })
    }

    /// Hands over what has become of them, by what there is of Services and pods.
    pub(super) fn tell(&mut self, mut state: State, mut each: impl FnMut(Change<'_>)) -> Result<()> {
        show_endpoints(&self.config, &mut state)?;
        let revision = state.revision();
        let mut before = std::mem::take(&mut self.told);
        let mut tell = |table, key: &Key, object| {
            let (namespace, name) = (&*key.namespace, &*key.name);
            each(Change { revision, table, namespace, name, object, last: None });
        };
        for table in self.tables.clone() {
            for (key, object) in state.objects(table) {
                let now = unversioned(object.text)?;
                let last = before.remove(&(table, key.clone()));
                if last.as_ref() != Some(&now) {
                    tell(table, key, Some(object.text));
                }
                self.told.insert((table, key.clone()), now);
            }
        }
        before.keys().for_each(|(table, key)| tell(*table, key, None));
        Ok(())
    }
}

/// Adds them to what was read, of which Services and pods must be a part.
///
/// # Errors
/// Damaged objects.
pub fn show_endpoints(config: &Config, state: &mut State) -> Result<()> {
    if state.objects(Table::SERVICES).next().is_none() {
        return Ok(());
    }
    let mut world = World::new(config.settings.clone());
    fill(&mut world, state)?;
    for mut slice in endpoint_slices(&world) {
        add(state, Table::ENDPOINT_SLICES, &mut slice, |slice| &mut slice.metadata)?;
    }
    for mut endpoints in endpoints_of_services(&world) {
        add(state, Table::ENDPOINTS, &mut endpoints, |endpoints| &mut endpoints.metadata)?;
    }
    Ok(())
}

fn add<T: Serialize>(
    state: &mut State,
    table: Table,
    object: &mut T,
    meta: impl Fn(&mut T) -> &mut ObjectMeta,
) -> Result<()> {
    let metadata = meta(object);
    metadata.resource_version = Some(state.revision().to_string());
    let key = key(metadata);
    let text = serde_json::to_string(object).context("encode endpoints")?;
    state.add(table, key, text);
    Ok(())
}
