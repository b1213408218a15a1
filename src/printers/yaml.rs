//! YAML as kubectl writes it.
