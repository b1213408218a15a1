//! The items of a parameter sweep: of an Indexed Job each index works on one line of a list. The list lies in ConfigMaps
//! that belong to the Job; the pod template names them.

use std::collections::BTreeMap;

use super::ObjectMeta;
use super::meta::{ANNOTATION_ITEMS, annotation};

/// The variable that holds the item of a container's index, as it stands in the list.
pub const ITEM_VARIABLE: &str = "ITEM";
/// The most items in a ConfigMap.
const MOST_IN_ONE: usize = 256;
/// The most bytes in a ConfigMap: the API server takes a MiB with everything.
const MOST_BYTES: usize = 900 * 1024;

/// One line of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The line as it stands there.
    pub text: String,
    /// Its columns, where the list names them.
    pub columns: BTreeMap<String, String>,
}

/// Where the items of a Job are: in ConfigMaps `PREFIX-0`, `PREFIX-1` … of so many items each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemsPlace {
    prefix: String,
    in_each: usize,
}

impl ItemsPlace {
    /// Where the items of a pod or of its template are; `None` where it has none.
    ///
    /// # Errors
    /// An annotation that says nothing of the kind.
    pub fn of(meta: &ObjectMeta) -> Option<Result<Self, String>> {
        let text = annotation(meta, ANNOTATION_ITEMS)?;
        let parsed = text.split_once('/').and_then(|(prefix, in_each)| {
            let in_each = in_each.parse().ok().filter(|number| *number > 0)?;
            (!prefix.is_empty()).then(|| Self { prefix: prefix.to_owned(), in_each })
        });
        Some(parsed.ok_or_else(|| format!("annotation {ANNOTATION_ITEMS}: {text:?} is not PREFIX/NUMBER")))
    }

    /// The annotation's value.
    pub fn text(&self) -> String {
        format!("{}/{}", self.prefix, self.in_each)
    }

    /// The ConfigMap with the item of an index.
    pub fn config_map(&self, index: usize) -> String {
        format!("{}-{}", self.prefix, index / self.in_each)
    }
}

/// The item of an index in the ConfigMap that holds it.
pub fn find<'a>(contents: impl Fn(&str) -> Option<&'a str>, columns: &[&str], index: usize) -> Option<Item> {
    let text = contents(&index.to_string())?.to_owned();
    let column = |name: &&str| Some(((*name).to_owned(), contents(&column_key(index, name))?.to_owned()));
    Some(Item { text, columns: columns.iter().filter_map(column).collect() })
}

/// The key of an item's column.
pub fn column_key(index: usize, column: &str) -> String {
    format!("{index}.{column}")
}

/// The columns of an index that a ConfigMap has, by its keys.
pub fn columns_of<'a>(keys: impl Iterator<Item = &'a str>, index: usize) -> Vec<&'a str> {
    let own = format!("{index}.");
    keys.filter_map(|key| key.strip_prefix(&own)).collect()
}

/// A ConfigMap with some of the items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemsMap {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub data: BTreeMap<String, String>,
}

/// Divides a list among ConfigMaps: where they are, and what each holds.
pub fn divide(prefix: &str, items: &[Item]) -> (ItemsPlace, Vec<ItemsMap>) {
    let mut in_each = MOST_IN_ONE;
    while in_each > 1 && items.chunks(in_each).any(|some| some.iter().map(size).sum::<usize>() > MOST_BYTES) {
        in_each /= 2;
    }
    let place = ItemsPlace { prefix: prefix.to_owned(), in_each };
    let mut maps: Vec<ItemsMap> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if index % in_each == 0 {
            maps.push(ItemsMap { name: place.config_map(index), data: BTreeMap::new() });
        }
        let Some(ItemsMap { data, .. }) = maps.last_mut() else { continue };
        data.insert(index.to_string(), item.text.clone());
        let columns = item.columns.iter();
        data.extend(columns.map(|(name, value)| (column_key(index, name), value.clone())));
    }
    (place, maps)
}

/// What an item takes, with room for its keys.
fn size(item: &Item) -> usize {
    const KEY: usize = 16;
    let columns: usize = item.columns.iter().map(|(name, value)| name.len() + value.len() + KEY).sum();
    item.text.len() + KEY + columns
}

/// The parts of a word: as it stands, or what an item puts in the place of `{}` and of `{COLUMN}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// As it stands.
    Text(&'a str),
    /// What the item says.
    Value(&'a str),
}

impl Item {
    /// Puts the item into a word. Braces around anything but the name of a column stay as they are.
    pub fn put_into<'a>(&'a self, word: &'a str) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let (mut from, mut at) = (0, 0);
        while let Some(open) = word[at..].find('{').map(|found| at + found) {
            let value = word[open + 1..].find('}').and_then(|length| {
                let name = &word[open + 1..open + 1 + length];
                let value = if name.is_empty() { Some(&self.text) } else { self.columns.get(name) };
                value.map(|value| (value.as_str(), open + length + 2))
            });
            match value {
                Some((value, after)) => {
                    parts.push(Part::Text(&word[from..open]));
                    parts.push(Part::Value(value));
                    (from, at) = (after, after);
                }
                None => at = open + 1,
            }
        }
        parts.push(Part::Text(&word[from..]));
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(item: &Item, word: &str) -> String {
        let parts = item.put_into(word);
        parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Value(text) => *text,
            })
            .collect()
    }

    #[test]
    fn an_item_takes_the_place_of_braces() {
        let columns = BTreeMap::from([("lr".to_owned(), "0.1".to_owned())]);
        let item = Item { text: "a {} b".into(), columns };
        assert_eq!(put(&item, "{}"), "a {} b");
        assert_eq!(put(&item, "x{}y{lr}z"), "xa {} by0.1z");
        assert_eq!(put(&item, "{print $1}{ }{{lr}}{é"), "{print $1}{ }{0.1}{é");
        assert_eq!(put(&item, ""), "");
        assert_eq!(put(&item, "{"), "{");
        assert_eq!(put(&item, "{{}}"), "{a {} b}");
    }

    #[test]
    fn a_divided_list_is_found_again() {
        let items: Vec<Item> = (0..600)
            .map(|number| Item {
                text: format!("line {number}"),
                columns: [("n".to_owned(), number.to_string())].into(),
            })
            .collect();
        let (place, maps) = divide("sweep-items", &items);
        assert_eq!(place.text(), "sweep-items/256");
        assert_eq!(maps.iter().map(|map| map.data.len()).collect::<Vec<_>>(), [512, 512, 176]);
        for (index, item) in items.iter().enumerate() {
            let name = place.config_map(index);
            let ItemsMap { data, .. } = maps.iter().find(|map| map.name == name).expect("a ConfigMap");
            let columns = columns_of(data.keys().map(String::as_str), index);
            let found = find(|key| data.get(key).map(String::as_str), &columns, index);
            assert_eq!(found.as_ref(), Some(item));
        }
    }

    #[test]
    fn long_items_share_a_config_map_with_fewer_others() {
        let items = vec![Item { text: "x".repeat(100_000), columns: BTreeMap::new() }; 20];
        let (place, maps) = divide("p", &items);
        assert_eq!(place.text(), "p/8");
        assert!(maps.iter().all(|map| map.data.values().map(String::len).sum::<usize>() < MOST_BYTES));
    }
}
