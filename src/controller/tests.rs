//! The controllers against kubernetes-behaviour 2, one row a rule, and the four laws of the design as properties.

mod cronjob;
mod end;
mod fixture;
mod indexed;
mod laws;
mod pods;
mod retry;
mod statefulset;
