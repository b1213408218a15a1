//! A value -> a typed object, with every field that the type does not know and the first that does not fit.
