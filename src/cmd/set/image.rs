//! `set image`: CONTAINER=IMAGE.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::template;

/// The containers by name, or `*`, and their images. What is said twice counts as said last.
pub(super) fn parse(words: &[String]) -> Result<Vec<(String, String)>> {
    let mut images: Vec<(String, String)> = Vec::new();
    for word in words {
        let Some((name, image)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            bail!("invalid image format: {word}");
        };
        images.retain(|(known, _)| known != name);
        images.push((name.to_owned(), image.to_owned()));
    }
    if images.is_empty() {
        bail!("at least one image update is required");
    }
    if images.len() > 1 && images.iter().any(|(name, _)| name == "*") {
        bail!(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs"
        );
    }
    Ok(images)
}

/// Gives containers their images; returns what could not be found.
pub(super) fn apply(spec: &mut Value, images: &[(String, String)]) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, image) in images {
        let mut found = false;
        for container in template::containers(spec) {
            if name == "*" || container.get("name").is_some_and(|known| known == name) {
                found = true;
                if image.is_empty() {
                    container.remove("image");
                } else {
                    container.insert("image".into(), json!(image));
                }
            }
        }
        if !found {
            missing.push(format!("unable to find container named {name:?}"));
        }
    }
    missing
}
