//! What objects are: types, kinds and names, defaults, selectors, conditions, errors of the API.
//! Pure: no clock, no files, no processes, no printing.

pub mod decode;
pub(crate) mod number;
pub mod selectors;
