//! S3 for the media port: AssumeRole grants, regions, policy documents.
