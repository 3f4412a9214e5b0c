//! Tests of the parsers as a whole.

mod hostile;
mod seed;
mod v1;
