//! Frames on the socket pair: a kind byte, a 32-bit little-endian length, the payload.
//!
//! The parent does not trust the child: lengths are checked before anything is allocated.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Largest frame that the parent accepts from a child.
pub const CHILD_FRAME_LIMIT: usize = 1 << 20;
/// Largest frame that a child accepts from its parent.
pub const PARENT_FRAME_LIMIT: usize = 64 << 20;
/// Bytes of a frame's head.
pub(crate) const HEAD: usize = 5;
/// Most bytes that one read may ask for.
pub const READ_LIMIT: u32 = 4 << 20;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Parent to child: the task, JSON.
    Task,
    /// Parent to child: files of the next task, as descriptors beside an empty frame.
    Files,
    /// Parent to child: the bytes asked for.
    Data,
    /// Parent to child: they cannot be had; the text says why.
    ReadFailed,
    /// Child to parent: [`ReadRequest`].
    Read,
    /// Child to parent: done and total, two 64-bit numbers.
    Progress,
    /// Child to parent: the reply and what it cost, JSON. The last frame of a task.
    Done,
    /// Child to parent: the error, JSON. The last frame of a task.
    Failed,
}

impl Kind {
    const ALL: [(Self, u8); 8] = [
        (Self::Task, 1),
        (Self::Data, 2),
        (Self::ReadFailed, 3),
        (Self::Files, 4),
        (Self::Read, 10),
        (Self::Progress, 11),
        (Self::Done, 12),
        (Self::Failed, 13),
    ];

    fn byte(self) -> u8 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).expect("every kind is listed").1
    }

    fn from_byte(byte: u8) -> io::Result<Self> {
        let found = Self::ALL.iter().find(|(_, b)| *b == byte);
        found.map(|(kind, _)| *kind).ok_or_else(|| invalid("unknown frame kind"))
    }
}

/// A child's wish for bytes of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadRequest {
    /// The source's number in the plan.
    pub source: u32,
    /// First byte.
    pub offset: u64,
    /// Number of bytes, at most [`READ_LIMIT`]; 0 asks for the source's size instead, 8 bytes.
    pub length: u32,
}

impl ReadRequest {
    /// As 16 bytes.
    pub fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.source.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.offset.to_le_bytes());
        bytes[12..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    /// From 16 bytes.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        let bytes: &[u8; 16] = bytes.try_into().map_err(|_| invalid("a read request has 16 bytes"))?;
        let (source, rest) = bytes.split_first_chunk::<4>().expect("16 bytes");
        let (offset, length) = rest.split_first_chunk::<8>().expect("12 bytes");
        let length: [u8; 4] = length.try_into().expect("4 bytes");
        Ok(Self {
            source: u32::from_le_bytes(*source),
            offset: u64::from_le_bytes(*offset),
            length: u32::from_le_bytes(length),
        })
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

pub(crate) fn head(kind: Kind, length: usize) -> io::Result<[u8; HEAD]> {
    let length = u32::try_from(length).map_err(|_| invalid("frame too long"))?;
    let mut head = [kind.byte(), 0, 0, 0, 0];
    head[1..].copy_from_slice(&length.to_le_bytes());
    Ok(head)
}

pub(crate) fn parse_head(head: [u8; HEAD], limit: usize) -> io::Result<(Kind, usize)> {
    let kind = Kind::from_byte(head[0])?;
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if length > limit {
        return Err(invalid("frame too long"));
    }
    Ok((kind, length))
}

/// Writes one frame; blocking, for the child.
pub fn write(to: &mut impl Write, kind: Kind, payload: &[u8]) -> io::Result<()> {
    to.write_all(&head(kind, payload.len())?)?;
    to.write_all(payload)
}

/// Reads one frame into `payload`; blocking, for the child.
pub fn read(from: &mut impl Read, payload: &mut Vec<u8>, limit: usize) -> io::Result<Kind> {
    let mut bytes = [0; HEAD];
    from.read_exact(&mut bytes)?;
    let (kind, length) = parse_head(bytes, limit)?;
    payload.resize(length, 0);
    from.read_exact(payload)?;
    Ok(kind)
}

/// Writes one frame, for the parent.
pub async fn send(to: &mut (impl AsyncWrite + Unpin), kind: Kind, payload: &[u8]) -> io::Result<()> {
    to.write_all(&head(kind, payload.len())?).await?;
    to.write_all(payload).await
}

/// Reads one frame, for the parent.
pub async fn receive(from: &mut (impl AsyncRead + Unpin), limit: usize) -> io::Result<(Kind, Vec<u8>)> {
    let mut bytes = [0; HEAD];
    from.read_exact(&mut bytes).await?;
    let (kind, length) = parse_head(bytes, limit)?;
    let mut payload = vec![0; length];
    from.read_exact(&mut payload).await?;
    Ok((kind, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_written() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Progress, &[7; 16]).unwrap();
        let mut payload = Vec::new();
        assert_eq!(read(&mut bytes.as_slice(), &mut payload, 16).unwrap(), Kind::Progress);
        assert_eq!(payload, [7; 16]);
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_is_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Done, &[0; 17]).unwrap();
        assert!(read(&mut bytes.as_slice(), &mut Vec::new(), 16).is_err());
    }

    #[test]
    fn unknown_kinds_and_short_requests_are_errors() {
        assert!(read(&mut [99u8, 0, 0, 0, 0].as_slice(), &mut Vec::new(), 16).is_err());
        assert!(ReadRequest::decode(&[0; 15]).is_err());
        let request = ReadRequest { source: 3, offset: u64::MAX, length: 9 };
        assert_eq!(ReadRequest::decode(&request.encode()).unwrap(), request);
    }
}
