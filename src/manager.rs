//! One pass; the background controller.
