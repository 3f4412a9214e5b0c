//! Tests of the parsers as a whole.

mod hostile;
mod random;
mod round_trip;
mod seed;
mod v1;
