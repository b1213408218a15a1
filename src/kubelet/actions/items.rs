//! Which item of a sweep a pod works on.

use super::config::{ConfigObjects, Holder};
use crate::api::Pod;
use crate::api::items::{self, Item, ItemsPlace};
use crate::api::meta::{ANNOTATION_ITEMS, namespace};
use crate::controller::pods::completion_index;

/// The item of a pod's index, where its Job has a list of them.
///
/// # Errors
/// A list that is not there, or has no such item.
pub(super) fn item_of(pod: &Pod, config: &ConfigObjects) -> Result<Option<Item>, String> {
    let Some(place) = ItemsPlace::of(&pod.metadata).transpose()? else { return Ok(None) };
    let Some(index) = completion_index(pod).and_then(|index| usize::try_from(index).ok()) else {
        return Err(format!("{ANNOTATION_ITEMS} is for pods of Indexed Jobs, and this one has no index"));
    };
    let (namespace, name) = (namespace(&pod.metadata), place.config_map(index));
    let contents = config.contents(Holder::ConfigMap, namespace, &name);
    let contents = contents.ok_or_else(|| format!("configmap {name:?} not found"))?;
    let columns = items::columns_of(contents.keys().copied(), index);
    let text = |key: &str| contents.get(key).and_then(|value| str::from_utf8(value).ok());
    let item = items::find(text, &columns, index);
    item.map(Some).ok_or_else(|| format!("couldn't find key {index} in ConfigMap {namespace}/{name}"))
}
