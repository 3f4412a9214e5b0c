//! Clips and sound between stages: encoded packets in a file of our own.
//!
//! Layout: 8 bytes of magic, a 32-bit length, the head as JSON padded with spaces, then packets: pts (i64),
//! duration (u32), flags (u8), size (u32), data; little-endian. The head is written twice, first without the counts.
//! Readers trust nothing: a clip may come from a cache on disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"SRCLIP1\n";
/// Room for the head, so that it can be rewritten in place.
const HEAD_ROOM: usize = 8192;
/// Largest packet that is believed.
const PACKET_LIMIT: u32 = 256 << 20;

/// What a clip holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Codec parameters out of band: SPS and PPS, or AudioSpecificConfig. Hexadecimal.
    pub(crate) extradata: String,
    /// Ticks per second of pts and duration.
    pub(crate) rate: u32,
    /// Number of packets.
    pub(crate) packets: u64,
    /// Sum of durations, in ticks.
    pub(crate) duration: u64,
    /// How many packets a picture may come before its turn, at most.
    pub(crate) delay: u64,
    /// Whether the last picture is an IDR: it may then not be followed by another (repeated units, H.264 7.4.1.2.4).
    pub(crate) ends_on_key: bool,
}

/// One encoded picture or piece of sound, in decoding order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    /// When it is presented, in ticks from the clip's start.
    pub(crate) pts: i64,
    /// For how long, in ticks.
    pub(crate) duration: u32,
    /// Whether decoding may begin here.
    pub(crate) key: bool,
    /// The bytes.
    pub(crate) data: Vec<u8>,
}

/// Writes a clip.
pub(crate) struct Writer {
    file: BufWriter<File>,
    head: Head,
}

impl Writer {
    /// Begins a clip.
    pub(crate) fn new(file: File, extradata: &[u8], rate: u32) -> io::Result<Self> {
        let head = Head {
            extradata: extradata.iter().map(|byte| format!("{byte:02x}")).collect(),
            rate,
            packets: 0,
            duration: 0,
            delay: 0,
            ends_on_key: false,
        };
        let mut writer = Self { file: BufWriter::with_capacity(1 << 18, file), head };
        writer.write_head()?;
        Ok(writer)
    }

    /// Adds a packet in decoding order.
    pub(crate) fn write(&mut self, packet: &Packet) -> io::Result<()> {
        // With one tick a picture, this is how far a picture's bytes come before its turn.
        let ahead = i64::try_from(self.head.packets).unwrap_or(i64::MAX) - packet.pts;
        self.head.delay = self.head.delay.max(u64::try_from(ahead).unwrap_or(0));
        self.head.packets += 1;
        self.head.duration += u64::from(packet.duration);
        self.head.ends_on_key = packet.key;
        self.file.write_all(&packet.pts.to_le_bytes())?;
        self.file.write_all(&packet.duration.to_le_bytes())?;
        self.file.write_all(&[u8::from(packet.key)])?;
        let size = u32::try_from(packet.data.len()).map_err(io::Error::other)?;
        self.file.write_all(&size.to_le_bytes())?;
        self.file.write_all(&packet.data)
    }

    /// Ends the clip and says what it holds.
    pub(crate) fn finish(mut self) -> io::Result<Head> {
        self.file.seek(SeekFrom::Start(0))?;
        self.write_head()?;
        self.file.flush()?;
        Ok(self.head)
    }

    fn write_head(&mut self) -> io::Result<()> {
        let mut json = serde_json::to_vec(&self.head)?;
        if json.len() > HEAD_ROOM {
            return Err(io::Error::other("the clip's head is too long"));
        }
        json.resize(HEAD_ROOM, b' ');
        self.file.write_all(MAGIC)?;
        self.file.write_all(&(HEAD_ROOM as u32).to_le_bytes())?;
        self.file.write_all(&json)
    }
}

/// Reads a clip.
pub(crate) struct Reader {
    file: BufReader<File>,
    /// What it holds.
    pub(crate) head: Head,
    left: u64,
}

impl Reader {
    /// Opens a clip.
    pub(crate) fn new(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut file = BufReader::with_capacity(1 << 18, file);
        let mut magic = [0; 8];
        file.read_exact(&mut magic)?;
        if &magic != MAGIC || read_u32(&mut file)? as usize != HEAD_ROOM {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a clip"));
        }
        let mut json = vec![0; HEAD_ROOM];
        file.read_exact(&mut json)?;
        let head: Head = serde_json::from_slice(&json)?;
        Ok(Self { file, left: head.packets, head })
    }

    /// The codec's parameters.
    pub(crate) fn extradata(&self) -> io::Result<Vec<u8>> {
        let hex = self.head.extradata.as_bytes();
        let digits = hex.chunks(2).map(|pair| {
            let text = std::str::from_utf8(pair).map_err(io::Error::other)?;
            u8::from_str_radix(text, 16).map_err(io::Error::other)
        });
        digits.collect()
    }

    /// The next packet; `None` after the last.
    pub(crate) fn next(&mut self) -> io::Result<Option<Packet>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut pts = [0; 8];
        self.file.read_exact(&mut pts)?;
        let duration = read_u32(&mut self.file)?;
        let mut key = [0];
        self.file.read_exact(&mut key)?;
        let size = read_u32(&mut self.file)?;
        if size > PACKET_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a packet is too large"));
        }
        let mut data = vec![0; size as usize];
        self.file.read_exact(&mut data)?;
        Ok(Some(Packet { pts: i64::from_le_bytes(pts), duration, key: key[0] != 0, data }))
    }
}

fn read_u32(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_comes_back_as_it_was_written() {
        let file = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(file.try_clone().unwrap(), &[1, 100, 0, 31], 30).unwrap();
        let packets = [
            Packet { pts: 0, duration: 1, key: true, data: vec![1; 70_000] },
            Packet { pts: 2, duration: 1, key: false, data: vec![2; 3] },
            Packet { pts: 1, duration: 1, key: false, data: vec![] },
        ];
        for packet in &packets {
            writer.write(packet).unwrap();
        }
        let head = writer.finish().unwrap();
        assert_eq!((head.packets, head.duration, head.delay, head.ends_on_key), (3, 3, 1, false));
        let mut reader = Reader::new(file).unwrap();
        assert_eq!(reader.head, head);
        assert_eq!(reader.extradata().unwrap(), [1, 100, 0, 31]);
        for packet in packets {
            assert_eq!(reader.next().unwrap(), Some(packet));
        }
        assert_eq!(reader.next().unwrap(), None);
    }

    #[test]
    fn what_is_no_clip_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0; 9000]).unwrap();
        assert!(Reader::new(file).is_err());
    }
}
