//! Clips and sound between stages and in the cache: encoded packets in a file of our own.
//!
//! Layout, little-endian: 8 bytes of magic, where the head lies (u64) and how long it is (u32); the packets' bytes;
//! a table with one entry a packet in decoding order (offset u64, size u32, pts i64, duration u32, flags u8); the head
//! as JSON. What stands behind that is not looked at. Readers trust nothing: a clip may come from a cache on disk.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"SRCLIP2\n";
/// Bytes before the first packet.
const FRONT: u64 = 8 + 8 + 4;
/// Bytes of an entry of the table.
const ENTRY: usize = 8 + 4 + 8 + 4 + 1;
/// How many entries are read at a time.
const ENTRIES: u64 = 1024;
/// Largest head and largest packet that are believed.
const HEAD_LIMIT: u32 = 64 << 20;
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
    /// Where the table begins.
    pub(crate) table: u64,
    /// How many packets a picture may come before its turn, at most.
    pub(crate) delay: u64,
    /// What is played, in order.
    pub(crate) runs: Vec<Run>,
}

/// Packets in a row that are played, once or several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The first packet.
    pub(crate) first: u64,
    /// Number of packets.
    pub(crate) packets: u64,
    /// The pts that counts as the run's beginning.
    pub(crate) start: i64,
    /// How long it lasts, in ticks.
    pub(crate) length: u64,
    /// How often it is played in a row.
    pub(crate) times: u64,
}

/// One encoded picture or piece of sound, in decoding order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    /// When it is presented, in ticks from the clip's start.
    pub(crate) pts: i64,
    /// For how long, in ticks.
    pub(crate) duration: u32,
    /// Whether it is an IDR picture.
    pub(crate) key: bool,
    /// The bytes.
    pub(crate) data: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u64,
    size: u32,
    pts: i64,
    duration: u32,
    key: bool,
}

impl Entry {
    fn encode(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.size.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.pts.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.duration.to_le_bytes());
        bytes[24] = u8::from(self.key);
        bytes
    }

    fn decode(bytes: &[u8; ENTRY]) -> Self {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let (offset, size, pts, duration) = (long(0), number(8), long(12).cast_signed(), number(20));
        Self { offset, size, pts, duration, key: bytes[24] != 0 }
    }
}

/// A packet whose bytes are in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored(Entry);

/// Writes a clip.
pub(crate) struct Writer {
    file: BufWriter<File>,
    at: u64,
    entries: Vec<Entry>,
    extradata: String,
    rate: u32,
}

impl Writer {
    /// Begins a clip.
    pub(crate) fn new(file: File, extradata: &[u8], rate: u32) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 18, file);
        file.write_all(&[0; FRONT as usize])?;
        let extradata = extradata.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file, at: FRONT, entries: Vec::new(), extradata, rate })
    }

    /// Adds a packet in decoding order.
    pub(crate) fn write(&mut self, packet: &Packet) -> io::Result<()> {
        let stored = self.store(packet)?;
        self.entries.push(stored.0);
        Ok(())
    }

    /// Puts a packet's bytes into the file; [`Writer::insert`] gives it its place.
    pub(crate) fn store(&mut self, packet: &Packet) -> io::Result<Stored> {
        let size = u32::try_from(packet.data.len()).map_err(io::Error::other)?;
        let (pts, duration, key) = (packet.pts, packet.duration, packet.key);
        let entry = Entry { offset: self.at, size, pts, duration, key };
        self.at += u64::from(size);
        self.file.write_all(&packet.data)?;
        Ok(Stored(entry))
    }

    /// Puts packets that are in the file, in decoding order, before the one with this number.
    pub(crate) fn insert(&mut self, number: usize, packets: &[Stored]) {
        self.entries.splice(number..number, packets.iter().map(|stored| stored.0));
    }

    /// How many packets are presented before a moment. Where decoding can begin at that moment, these are also the
    /// packets that are decoded before it.
    pub(crate) fn before(&self, pts: i64) -> usize {
        self.entries.iter().filter(|entry| entry.pts < pts).count()
    }

    /// Ends a clip that is played from its first packet to its last.
    pub(crate) fn finish(self) -> io::Result<Head> {
        let length = self.entries.iter().map(|entry| u64::from(entry.duration)).sum();
        let run = Run { first: 0, packets: self.entries.len() as u64, start: 0, length, times: 1 };
        self.finish_with(vec![run])
    }

    /// Ends the clip with what is played of it, and says what it holds.
    pub(crate) fn finish_with(mut self, runs: Vec<Run>) -> io::Result<Head> {
        // With one tick a picture, this is how far a picture's bytes come before its turn.
        let ahead =
            self.entries.iter().zip(0i64..).map(|(entry, index)| (index - entry.pts).max(0).cast_unsigned());
        let delay = ahead.max().unwrap_or(0);
        let packets = self.entries.len() as u64;
        let head = Head { extradata: self.extradata, rate: self.rate, packets, table: self.at, delay, runs };
        for entry in &self.entries {
            self.file.write_all(&entry.encode())?;
        }
        let json = serde_json::to_vec(&head)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?;
        self.file.write_all(&json)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(MAGIC)?;
        self.file.write_all(&(self.at + packets * ENTRY as u64).to_le_bytes())?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.flush()?;
        Ok(head)
    }
}

/// Reads a clip, packet by packet in any order.
pub(crate) struct Reader {
    file: File,
    /// What it holds.
    pub(crate) head: Head,
    /// Some entries of the table, and the number of their first.
    entries: (u64, Vec<u8>),
    /// The next packet of [`Reader::next`].
    next: u64,
}

impl Reader {
    /// Opens a clip.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let mut front = [0; FRONT as usize];
        file.read_exact_at(&mut front, 0)?;
        let (magic, rest) = front.split_at(8);
        let (place, length) = rest.split_at(8);
        let place = u64::from_le_bytes(place.try_into().expect("8 bytes"));
        let length = u32::from_le_bytes(length.try_into().expect("4 bytes"));
        if magic != MAGIC || length > HEAD_LIMIT {
            return Err(invalid("not a clip"));
        }
        let mut json = vec![0; length as usize];
        file.read_exact_at(&mut json, place)?;
        let head: Head = serde_json::from_slice(&json)?;
        let table = head.packets.checked_mul(ENTRY as u64).and_then(|bytes| head.table.checked_add(bytes));
        let played = head.runs.iter().all(|run| {
            run.packets > 0
                && run.times > 0
                && run.first.checked_add(run.packets).is_some_and(|end| end <= head.packets)
                && run.length.checked_mul(run.times).is_some_and(|length| length < 1 << 48)
        });
        if table != Some(place) || !played {
            return Err(invalid("a clip's table or runs are damaged"));
        }
        Ok(Self { file, head, entries: (0, Vec::new()), next: 0 })
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

    /// The same clip, to be read from its start.
    pub(crate) fn again(&self) -> io::Result<Self> {
        let file = self.file.try_clone()?;
        Ok(Self { file, head: self.head.clone(), entries: (0, Vec::new()), next: 0 })
    }

    /// How many packets all runs play together.
    pub(crate) fn played(&self) -> u64 {
        self.head.runs.iter().map(|run| run.packets.saturating_mul(run.times)).fold(0, u64::saturating_add)
    }

    /// The ticks that all runs last together.
    pub(crate) fn length(&self) -> u64 {
        self.head.runs.iter().map(|run| run.length.saturating_mul(run.times)).fold(0, u64::saturating_add)
    }

    /// A packet by its number in decoding order.
    pub(crate) fn packet(&mut self, number: u64) -> io::Result<Packet> {
        let entry = self.entry(number)?;
        if entry.size > PACKET_LIMIT
            || entry.offset < FRONT
            || entry.offset.saturating_add(u64::from(entry.size)) > self.head.table
        {
            return Err(invalid("a packet lies outside its clip"));
        }
        let mut data = vec![0; entry.size as usize];
        self.file.read_exact_at(&mut data, entry.offset)?;
        Ok(Packet { pts: entry.pts, duration: entry.duration, key: entry.key, data })
    }

    /// The next packet, in decoding order, each once; `None` after the last.
    pub(crate) fn next(&mut self) -> io::Result<Option<Packet>> {
        if self.next == self.head.packets {
            return Ok(None);
        }
        self.next += 1;
        self.packet(self.next - 1).map(Some)
    }

    fn entry(&mut self, number: u64) -> io::Result<Entry> {
        if number >= self.head.packets {
            return Err(invalid("no such packet"));
        }
        let held = (self.entries.1.len() / ENTRY) as u64;
        if !(self.entries.0..self.entries.0 + held).contains(&number) {
            let count = ENTRIES.min(self.head.packets - number);
            let mut bytes = vec![0; count as usize * ENTRY];
            self.file.read_exact_at(&mut bytes, self.head.table + number * ENTRY as u64)?;
            self.entries = (number, bytes);
        }
        let at = (number - self.entries.0) as usize * ENTRY;
        Ok(Entry::decode(self.entries.1[at..at + ENTRY].try_into().expect("an entry's length")))
    }
}

/// All that a clip plays, packet by packet.
pub(crate) struct Player {
    reader: Reader,
    /// The run, how often it was played, the packet within it.
    run: usize,
    round: u64,
    packet: u64,
    /// Ticks before this round.
    start: i64,
}

impl Player {
    /// Plays a clip from its start.
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader, run: 0, round: 0, packet: 0, start: 0 }
    }

    /// The next packet, with its pts from the start of what is played; `None` after the last.
    pub(crate) fn next(&mut self) -> io::Result<Option<Packet>> {
        let Some(run) = self.reader.head.runs.get(self.run).copied() else { return Ok(None) };
        let mut packet = self.reader.packet(run.first + self.packet)?;
        packet.pts = packet.pts.saturating_sub(run.start).saturating_add(self.start);
        self.packet += 1;
        if self.packet == run.packets {
            self.packet = 0;
            self.round += 1;
            self.start = self.start.saturating_add(run.length.cast_signed());
        }
        if self.round == run.times {
            self.round = 0;
            self.run += 1;
        }
        Ok(Some(packet))
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(runs: Vec<Run>) -> (File, Vec<Packet>, Head) {
        let file = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(file.try_clone().unwrap(), &[1, 100, 0, 31], 30).unwrap();
        let packets = [
            Packet { pts: 0, duration: 1, key: true, data: vec![1; 70_000] },
            Packet { pts: 2, duration: 1, key: false, data: vec![2; 3] },
            Packet { pts: 1, duration: 1, key: false, data: vec![] },
            Packet { pts: 3, duration: 1, key: true, data: vec![4; 9] },
        ];
        for packet in &packets {
            writer.write(packet).unwrap();
        }
        let head = writer.finish_with(runs).unwrap();
        (file, packets.to_vec(), head)
    }

    const ALL: Run = Run { first: 0, packets: 4, start: 0, length: 4, times: 1 };

    #[test]
    fn a_clip_comes_back_as_it_was_written() {
        let (file, packets, head) = clip(vec![ALL]);
        assert_eq!((head.packets, head.delay), (4, 1));
        let mut reader = Reader::new(file).unwrap();
        assert_eq!(reader.head, head);
        assert_eq!(reader.extradata().unwrap(), [1, 100, 0, 31]);
        for packet in packets {
            assert_eq!(reader.next().unwrap(), Some(packet));
        }
        assert_eq!(reader.next().unwrap(), None);
    }

    #[test]
    fn runs_are_played_as_often_as_they_say() {
        let runs = vec![
            Run { first: 0, packets: 3, start: 0, length: 3, times: 2 },
            Run { first: 3, packets: 1, start: 3, length: 1, times: 1 },
        ];
        let (file, ..) = clip(runs);
        let reader = Reader::new(file).unwrap();
        assert_eq!(reader.length(), 7);
        let mut player = Player::new(reader);
        let mut played = Vec::new();
        while let Some(packet) = player.next().unwrap() {
            played.push((packet.pts, packet.data.len()));
        }
        assert_eq!(played, [(0, 70_000), (2, 3), (1, 0), (3, 70_000), (5, 3), (4, 0), (6, 9)]);
    }

    #[test]
    fn what_is_no_clip_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0; 9000]).unwrap();
        assert!(Reader::new(file).is_err());
        let outside = Run { packets: 5, ..ALL };
        assert!(Reader::new(clip(vec![outside]).0).is_err());
        let (file, ..) = clip(vec![ALL]);
        file.set_len(file.metadata().unwrap().len() - 1).unwrap();
        assert!(Reader::new(file).is_err());
    }
}
