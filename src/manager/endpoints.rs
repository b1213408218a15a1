//! EndpointSlices and Endpoints: shown as Services and pods are now, without being stored.

use anyhow::{Context, Result};
use serde::Serialize;

use super::Config;
use super::world::fill;
use crate::api::ObjectMeta;
use crate::api::meta::key;
use crate::controller::World;
use crate::controller::endpoints::{endpoint_slices, endpoints_of_services};
use crate::store::{State, Table};

/// The tables that they are made of.
pub const MADE_OF: [Table; 2] = [Table::SERVICES, Table::PODS];

/// Adds them to what was read, of which Services and pods must be a part.
///
/// # Errors
/// Damaged objects.
pub fn show_endpoints(config: &Config, state: &mut State) -> Result<()> {
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
