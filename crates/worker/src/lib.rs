//! The protocol to the caged child, its cage, and its supervisor. No libav.
