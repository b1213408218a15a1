//! Bytes -> objects.
