//! ConfigMaps and Secrets.

use super::super::{Output, line};
use super::{Describe, Related};
use crate::api::{ConfigMap, Secret};

impl Describe for ConfigMap {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        out.metadata(&self.metadata, true);
        line!(out, 0, "\nData\n====");
        for (key, value) in self.data.iter().flatten() {
            line!(out, 0, "{key}:\n----\n{value}\n");
        }
        line!(out, 0, "\nBinaryData\n====");
        for (key, value) in self.binary_data.iter().flatten() {
            line!(out, 0, "{key}: {} bytes", value.0.len());
        }
        line!(out, 0, "");
    }
}

impl Describe for Secret {
    const HAS_EVENTS: bool = false;

    /// Only a token is shown; of all else how long it is.
    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        out.metadata(&self.metadata, true);
        let type_ = self.type_.as_deref().unwrap_or_default();
        line!(out, 0, "\nType:\t{type_}\n\nData\n====");
        for (key, value) in self.data.iter().flatten() {
            if type_ == "kubernetes.io/service-account-token" && key == "token" {
                line!(out, 0, "{key}:\t{}", String::from_utf8_lossy(&value.0));
            } else {
                line!(out, 0, "{key}:\t{} bytes", value.0.len());
            }
        }
    }
}
