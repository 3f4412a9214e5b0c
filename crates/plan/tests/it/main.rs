//! Tests of the planner as a whole.

mod contracts;
mod kit;
mod properties;
mod round_trip;
mod seed;
