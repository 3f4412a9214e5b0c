//! The use case: storyboard in, film out, with progress and cancel. Both the command line and the job bodies of the
//! server call it. It knows no HTTP and no SQL.

pub mod studio;
pub use studio::*;
