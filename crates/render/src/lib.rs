//! All that touches libav: probe, decode, compose, encode, assemble. Lives only in the child.
