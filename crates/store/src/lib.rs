//! Domain verbs over the database; migrations.
