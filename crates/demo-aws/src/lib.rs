//! S3 and STS in process for storyreel demo: loopback only.
